# Toolchain of the Windows test build: Debian's g++-mingw-w64-x86-64. What is published is built by MSVC on Windows.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR AMD64)
set(CMAKE_CXX_COMPILER x86_64-w64-mingw32-g++-posix)
# Nothing of mingw beside the addon; and gcc does not align Windows' stack for AVX (GCC bug 54412).
set(CMAKE_SHARED_LINKER_FLAGS_INIT "-static")
set(CMAKE_CXX_FLAGS_INIT "-Wa,-muse-unaligned-vector-move")
