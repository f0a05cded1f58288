# The addon by node-gyp, for a machine with Python and a compiler but no CMake: `npm run build:gyp`.
# Files, flags and defines: sources.json, which CMakeLists.txt reads too. gyp has no flags for single files,
# so each instruction set is a static library of its own.
{
  'includes': ['sources.json'],
  'variables': {
    # Said on the command line where the package stands elsewhere.
    'napi_include%': '<!(node -p "require(\'node-addon-api\').include_dir")',
  },
  'target_defaults': {
    'cflags': ['<@(gnu_flags)'],
    'cflags_cc': ['-std=c++17'],
    'cflags!': ['-O2'],
    'cflags_cc!': ['-fno-rtti', '-std=gnu++17', '-std=gnu++20'],
    'xcode_settings': {
      'CLANG_CXX_LANGUAGE_STANDARD': 'c++17',
      'GCC_ENABLE_CPP_EXCEPTIONS': 'YES',
      'GCC_ENABLE_CPP_RTTI': 'YES',
      'GCC_OPTIMIZATION_LEVEL': '3',
      'MACOSX_DEPLOYMENT_TARGET': '11.0',
    },
    'msvs_settings': { 'VCCLCompilerTool': { 'ExceptionHandling': 1, 'RuntimeTypeInfo': 'true', 'AdditionalOptions': ['/std:c++17', '<@(msvc_flags)'] } },
  },
  'targets': [
    {
      'target_name': 'native-rnn',
      # Kernels are without exceptions; what calls them is not.
      'cflags!': ['-fno-exceptions'],
      'cflags_cc!': ['-fno-exceptions'],
      'sources': ['<@(addon_sources)', '<@(core_sources)'],
      'dependencies': ['isa-portable'],
      'defines': ['<@(rnn_defines)'],
      'include_dirs': ['<(napi_include)'],
      'xcode_settings': { 'OTHER_CFLAGS': ['<@(gnu_flags)'] },
      'conditions': [
        ['OS=="linux"', {
          'ldflags': ['-pthread', '-s', '-Wl,--gc-sections', '-Wl,--version-script=<(module_root_dir)/exports.map'],
        }],
        ['target_arch=="x64"', { 'dependencies': ['isa-avx512', 'isa-avx512-vnni', 'isa-avx2', 'isa-avx2-vnni'] }],
        ['target_arch=="arm64"', { 'dependencies': ['isa-neon', 'isa-neon-dot'] }],
      ],
    },
    {
      'target_name': 'isa-portable',
      'type': 'static_library',
      'sources': ['<@(portable_sources)'],
      # Not 'cflags', out of which -O2 is taken.
      'cflags_cc': ['<@(portable_gnu_flags)', '<@(kernel_gnu_flags)'],
      'xcode_settings': { 'OTHER_CFLAGS': ['<@(gnu_flags)', '<@(portable_gnu_flags)', '<@(kernel_gnu_flags)'] },
      'msvs_settings': { 'VCCLCompilerTool': { 'AdditionalOptions': ['<@(portable_msvc_flags)'] } },
    },
  ],
  'conditions': [
    ['target_arch=="x64"', {
      'targets': [
        {
          'target_name': 'isa-avx512',
          'type': 'static_library',
          'sources': ['<@(avx512_sources)'],
          'cflags': ['<@(avx512_gnu_flags)'],
          'cflags_cc': ['<@(kernel_gnu_flags)'],
          'xcode_settings': { 'OTHER_CFLAGS': ['<@(gnu_flags)', '<@(avx512_gnu_flags)', '<@(kernel_gnu_flags)'] },
          'msvs_settings': { 'VCCLCompilerTool': { 'AdditionalOptions': ['<@(avx512_msvc_flags)'] } },
        },
        {
          'target_name': 'isa-avx512-vnni',
          'type': 'static_library',
          'sources': ['<@(avx512_vnni_sources)'],
          'cflags': ['<@(avx512_vnni_gnu_flags)'],
          'cflags_cc': ['<@(kernel_gnu_flags)'],
          'xcode_settings': { 'OTHER_CFLAGS': ['<@(gnu_flags)', '<@(avx512_vnni_gnu_flags)', '<@(kernel_gnu_flags)'] },
          'msvs_settings': { 'VCCLCompilerTool': { 'AdditionalOptions': ['<@(avx512_vnni_msvc_flags)'] } },
        },
        {
          'target_name': 'isa-avx2',
          'type': 'static_library',
          'sources': ['<@(avx2_sources)'],
          'cflags': ['<@(avx2_gnu_flags)'],
          'cflags_cc': ['<@(kernel_gnu_flags)'],
          'xcode_settings': { 'OTHER_CFLAGS': ['<@(gnu_flags)', '<@(avx2_gnu_flags)', '<@(kernel_gnu_flags)'] },
          'msvs_settings': { 'VCCLCompilerTool': { 'AdditionalOptions': ['<@(avx2_msvc_flags)'] } },
        },
        {
          'target_name': 'isa-avx2-vnni',
          'type': 'static_library',
          'sources': ['<@(avx2_vnni_sources)'],
          'cflags': ['<@(avx2_vnni_gnu_flags)'],
          'cflags_cc': ['<@(kernel_gnu_flags)'],
          'xcode_settings': { 'OTHER_CFLAGS': ['<@(gnu_flags)', '<@(avx2_vnni_gnu_flags)', '<@(kernel_gnu_flags)'] },
          'msvs_settings': { 'VCCLCompilerTool': { 'AdditionalOptions': ['<@(avx2_vnni_msvc_flags)'] } },
        },
      ],
    }],
    ['target_arch=="arm64"', {
      'targets': [
        {
          'target_name': 'isa-neon',
          'type': 'static_library',
          'sources': ['<@(neon_sources)'],
          'cflags': ['<@(neon_gnu_flags)'],
          'cflags_cc': ['<@(kernel_gnu_flags)'],
          'xcode_settings': { 'OTHER_CFLAGS': ['<@(gnu_flags)', '<@(neon_gnu_flags)', '<@(kernel_gnu_flags)'] },
          'msvs_settings': { 'VCCLCompilerTool': { 'AdditionalOptions': ['<@(neon_msvc_flags)'] } },
        },
        {
          'target_name': 'isa-neon-dot',
          'type': 'static_library',
          'sources': ['<@(neon_dot_sources)'],
          'cflags': ['<@(neon_dot_gnu_flags)'],
          'cflags_cc': ['<@(kernel_gnu_flags)'],
          'xcode_settings': { 'OTHER_CFLAGS': ['<@(gnu_flags)', '<@(neon_dot_gnu_flags)', '<@(kernel_gnu_flags)'] },
          'msvs_settings': { 'VCCLCompilerTool': { 'AdditionalOptions': ['<@(neon_dot_msvc_flags)'] } },
        },
      ],
    }],
  ],
}
