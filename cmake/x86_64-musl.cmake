# Toolchain of the units on musl: Debian's g++ and musl, with the C++ runtime that scripts/build-musl-runtime.sh makes in build-musl/runtime.
# Static programs.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_CXX_COMPILER g++)
set(CMAKE_CXX_FLAGS_INIT "-specs=${CMAKE_CURRENT_LIST_DIR}/../build-musl/runtime/musl.specs")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static")
