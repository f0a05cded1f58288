#!/usr/bin/env bash
# Makes a C++ runtime for musl in build-musl/runtime: libstdc++ out of Debian's sources of the very g++ that is installed, compiled against
# Debian's musl, and specs that point g++ at both, for static programs; then what other programs for musl load, libstdc++.so.6 and libgcc_s.so.1,
# in build-musl/runtime/shared. Once, some minutes.
# (Debian, x86-64: g++ musl-tools gcc-12-source xz-utils; 12 as the g++ is.)
set -eu
cd "$(dirname "$0")/.."
out=$PWD/build-musl
runtime=$out/runtime
[ -e "$runtime/done" ] && [ -e "$runtime/shared/libstdc++.so.6" ] && exit 0
version=$(g++ -dumpversion)
musl=x86_64-linux-musl
sources=$(ls /usr/src/gcc-"$version"/gcc-*.tar.xz) || { echo "no sources of gcc $version: Debian's gcc-$version-source"; exit 1; }
[ -e /usr/lib/$musl/libc.a ] || { echo "no musl: Debian's musl-tools"; exit 1; }
rm -rf "$runtime" "$out/gcc" "$out/libstdc++" && mkdir -p "$runtime/lib" "$out/gcc" "$out/libstdc++"

# specs <C++ headers …>: g++ for musl, with these before C's.
specs() {
  local folder headers=
  for folder in "$@"; do headers+=" -isystem $folder"; done
  cat >"$runtime/musl.specs" <<END
*cc1plus:
-nostdinc -nostdinc++$headers -isystem /usr/include/$musl -isystem include%s

*link_libgcc:
-L$runtime/lib -L/usr/lib/$musl -L .%s

*libgcc:
libgcc.a%s libgcc_eh.a%s $runtime/lib/find_object.o

*startfile:
/usr/lib/$musl/Scrt1.o /usr/lib/$musl/crti.o crtbeginT.o%s

*endfile:
crtend.o%s /usr/lib/$musl/crtn.o

*link:
-nostdlib -static -no-pie

*esp_link:


*esp_options:


*esp_cpp_options:


END
}

# Debian's libgcc asks its C library for the frames of an address by a call of glibc 2.35; musl lists what is loaded.
cat >"$out/find_object.c" <<'END'
#define _GNU_SOURCE
#include <link.h>
#include <stdint.h>
struct object { unsigned long long flags; void *start, *end; struct link_map* map; void* frames; unsigned long long reserved[7]; };
struct search { uintptr_t address; struct object* found; };
static int look(struct dl_phdr_info* info, size_t size, void* data) {
  struct search* search = data;
  void* frames = 0;
  int inside = 0;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr)* part = info->dlpi_phdr + i;
    const uintptr_t start = info->dlpi_addr + part->p_vaddr;
    if (part->p_type == PT_GNU_EH_FRAME)
      frames = (void*)start;
    if (part->p_type == PT_LOAD && search->address - start < part->p_memsz) {
      inside = 1;
      search->found->start = (void*)start;
      search->found->end = (void*)(start + part->p_memsz);
    }
  }
  search->found->frames = frames;
  return inside && frames;
}
__attribute__((visibility("hidden"))) int _dl_find_object(void* address, struct object* found) {
  struct search search = {(uintptr_t)address, found};
  return dl_iterate_phdr(look, &search) ? 0 : -1;
}
END

build() {
  tar -xJf "$sources" -C "$out/gcc" --strip-components=1 --wildcards '*/libstdc++-v3' '*/libgcc' '*/libiberty' '*/include' \
    '*/config' '*/config.*' '*/config-ml.in' '*/install-sh' '*/missing' '*/ltmain.sh' '*/libtool*' '*/lt*.m4' '*/mkinstalldirs' '*/move-if-change' \
    '*/gcc/BASE-VER' '*/gcc/DATESTAMP' '*/depcomp' '*/compile'
  # Threads are looked for by this name, which the build of the whole gcc makes.
  ln -sf gthr-posix.h "$out/gcc/libgcc/gthr-default.h"
  specs
  gcc -O2 -fPIC -specs=/usr/lib/$musl/musl-gcc.specs -c "$out/find_object.c" -o "$runtime/lib/find_object.o"
  cd "$out/libstdc++"
  # The host's name is what makes it a cross build, for musl.
  "$out/gcc/libstdc++-v3/configure" --build=x86_64-linux-gnu --host=$musl --prefix="$runtime" --libdir="$runtime/lib" \
    --disable-shared --disable-multilib --disable-nls --disable-libstdcxx-pch --disable-werror --with-gxx-include-dir="$runtime/include/c++" \
    CC="gcc -specs=/usr/lib/$musl/musl-gcc.specs" CXX="g++ -specs=$runtime/musl.specs" AR=ar RANLIB=ranlib AS=as LD=ld NM=nm STRIP=strip \
    CFLAGS='-O2 -fPIC' CXXFLAGS='-O2 -fPIC'
  make -s -j"$(nproc)"
  make -s install
  specs "$runtime/include/c++" "$runtime/include/c++/$musl"
  share
}

# shared <library> <what it is made of …>: for musl, in a folder of its own.
shared() {
  g++ -shared -nostdlib -Wl,-soname,"$1" -o "$runtime/shared/$1" /usr/lib/$musl/crti.o "$(gcc -print-file-name=crtbeginS.o)" "${@:2}" \
    "$(gcc -print-libgcc-file-name)" /usr/lib/$musl/libc.so "$(gcc -print-file-name=crtendS.o)" /usr/lib/$musl/crtn.o
}

# What programs for musl load, as Alpine has it: libgcc_s and libstdc++. Debian has the unwinder for others than glibc as an archive alone, with
# hidden names, which no library can export: they get others, and those a jump to each.
share() {
  local eh=$out/libgcc_eh
  rm -rf "$eh" && mkdir -p "$eh" "$runtime/shared"
  (cd "$eh" && ar x "$(gcc -print-file-name=libgcc_eh.a)")
  nm --defined-only -g --format=just-symbols "$eh"/*.o | grep -v '^$\|:$' | sort -u >"$eh/names"
  sed 's/.*/& own&/' "$eh/names" >"$eh/renamed"
  for object in "$eh"/*.o; do objcopy --redefine-syms="$eh/renamed" "$object"; done
  sed 's/.*/.globl &\n.type &, @function\n&: jmp own&/' "$eh/names" | gcc -c -x assembler - -o "$eh/exported.o"
  shared libgcc_s.so.1 "$eh"/*.o "$runtime/lib/find_object.o"
  shared libstdc++.so.6 -Wl,--whole-archive "$runtime/lib/libstdc++.a" -Wl,--no-whole-archive "$runtime/shared/libgcc_s.so.1"
  rm -r "$eh"
}
exec 3>&1
trap 'tail -40 "$out/runtime.log" >&3' ERR
set -E
build >"$out/runtime.log" 2>&1
rm -rf "$out/gcc" "$out/libstdc++"
touch "$runtime/done"
