#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Runs the tests as other machines and libraries would: tests/variants.sh [--install] [NAME...]
#
#   signed-char, unsigned-char  with the sign of char that others have
#   32-bit                      with -m32
#   libc++                      with clang's library and its checks
#   turkish                     in a locale where the upper case of i is not I
#   valgrind                    the tests that count allocations, and the replays of the fuzz corpora
#   msan                        the replays of the fuzz corpora, looking for octets that nobody wrote
#   mingw                       for Windows; run where wine is there
#   aarch64                     for ARM with its vectors, run by qemu-user
#   big-endian                  for s390x, run by qemu-user
#
# Those that use libstdc++ have its checks on, apart from valgrind. Without a NAME all of them; one whose tools are missing is skipped
# aloud. --install fetches the tools first, on Debian. On two cores the last three take a minute each, the others about five; not a part
# of .ci/run.
set -uo pipefail
cd "$(dirname "$0")/.."

all=(signed-char unsigned-char 32-bit libc++ turkish valgrind msan mingw aarch64 big-endian)
# Debian's compilers for other processors and its package g++-multilib shut each other out; those that name a version do not.
version=$(c++ -dumpversion 2>/dev/null)
checks=-D_GLIBCXX_ASSERTIONS
names=()
for word; do
  case $word in
    --install)
      . tests/support/install.sh
      install_packages g++ cmake ninja-build libfmt-dev catch2 clang clang-16 libc++-16-dev libc++abi-16-dev locales-all valgrind \
        g++-mingw-w64-x86-64-posix wine wine64 qemu-user-static
      version=$(c++ -dumpversion)
      install_packages "g++-$version-multilib" "g++-$version-aarch64-linux-gnu" "g++-$version-s390x-linux-gnu"
      ;;
    --help) sed -n '3,19s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) echo "$0: what is '$word'? See --help" >&2; exit 2 ;;
    *) names+=("$word") ;;
  esac
done
[ ${#names[@]} -gt 0 ] || names=("${all[@]}")

# build NAME COMPILER FLAGS TARGET...
build() {
  local folder=build/variants/$1 compiler=$2 flags=$3 generator=()
  shift 3
  [ -e "$folder/CMakeCache.txt" ] || ! command -v ninja >/dev/null || generator=(-G Ninja)
  cmake -S . -B "$folder" ${generator[@]+"${generator[@]}"} -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG="-O1" \
    -DCMAKE_CXX_FLAGS="$flags" -DEHLO_DEVELOPER=ON -DEHLO_WERROR=OFF >/dev/null && cmake --build "$folder" --target "$@" >"$folder/build.log" 2>&1 ||
    { tail -n 30 "$folder/build.log"; return 1; }
}
replays() { local source; for source in fuzz/*.cpp; do echo "replay_$(basename "$source" .cpp)"; done; }
can_compile() { echo 'int main() {}' | "$@" -x c++ - -o /dev/null 2>/dev/null; }
# A kernel may be without the other width.
can_run() { echo 'int main() {}' | "$@" -x c++ - -o build/variants/probe 2>/dev/null && build/variants/probe 2>/dev/null; }
tests_pass() { build "$1" "$2" "$3" ehlo_tests && "build/variants/$1/ehlo_tests" >"build/variants/$1/tests.log" || { tail -n 30 "build/variants/$1/tests.log"; return 1; }; }

# For another system: what depends on octets, their order and their signs, and sessions. Catch2 and fmt as they are here: header-only.
cross_tests=(octet_run format codec/{chunk_reader,command_parser,mail_data_reader,mail_data_writer,message_traits,octet_scan,reply_parser}
  grammar/{base64,cursor,ip_address,path,utf8,xtext} server/session_basics client/{session_basics,two_ends})

# cross_build NAME COMPILER
cross_build() {
  cross_compile "$@" >"build/variants/$1.log" 2>&1 || { tail -n 30 "build/variants/$1.log"; return 1; }
}
cross_compile() {
  local folder=build/variants/$1 test flags=(-std=c++20 -O1 "$checks" -DFMT_HEADER_ONLY=1 -DEHLO_SOURCE_DIR='"."' -Iinclude -Itests -Ifuzz)
  rm -rf "$folder"
  mkdir -p "$folder/include"
  ln -s /usr/include/catch2 /usr/include/fmt "$folder/include"
  cp tests/support/precompiled.hpp "$folder/include"
  flags+=(-isystem "$folder/include")
  "$2" "${flags[@]}" -c tests/support/catch_main.cpp -o "$folder/catch_main.o" &&
    "$2" "${flags[@]}" -x c++-header tests/support/precompiled.hpp -o "$folder/include/precompiled.hpp.gch" &&
    {
      printf '%s\n' tests/support/{precompiled,client_dialogue,server_dialogue}.cpp
      for test in "${cross_tests[@]}"; do echo "tests/${test}_test.cpp"; done
    } | xargs -P "$(nproc)" -I{} sh -c 'source=$1; folder=$2; shift 2; "$@" -include precompiled.hpp -c "$source" -o "$folder/$(echo "$source" | tr / _).o"' \
      sh {} "$folder" "$2" "${flags[@]}" &&
    "$2" -static "$folder"/*.o -o "$folder/ehlo_tests.exe"
}
# cross_tests_pass NAME COMPILER RUNNER
cross_tests_pass() {
  cross_build "$1" "$2" || return 1
  "$3" "build/variants/$1/ehlo_tests.exe" >"build/variants/$1/tests.log" || { tail -n 30 "build/variants/$1/tests.log"; return 1; }
}

# Each says 77 for tools that are missing.
run() {
  local target
  case $1 in
    signed-char) tests_pass "$1" c++ "-fsigned-char $checks" ;;
    unsigned-char) tests_pass "$1" c++ "-funsigned-char $checks" ;;
    32-bit)
      can_run c++ -m32 || return 77
      # Debian's CMake package of fmt is for 64 bits only; its headers are for both.
      mkdir -p build/variants/fmt
      echo 'set(PACKAGE_VERSION_COMPATIBLE TRUE)' >build/variants/fmt/fmt-config-version.cmake
      echo 'add_library(fmt::fmt-header-only INTERFACE IMPORTED GLOBAL)
        target_compile_definitions(fmt::fmt-header-only INTERFACE FMT_HEADER_ONLY=1)' >build/variants/fmt/fmt-config.cmake
      # What another compiler's package keeps from standing in /usr/include.
      fmt_DIR=$PWD/build/variants/fmt tests_pass "$1" c++ "$checks -m32 -idirafter /usr/include/$(c++ -print-multiarch)"
      ;;
    libc++)
      # Version 14 is enough for the headers; the tests want the algorithms of std::ranges.
      local compiler found=
      for compiler in clang++ clang++-19 clang++-18 clang++-17 clang++-16; do
        if echo 'auto& probe = std::ranges::find_if;' | "$compiler" -std=c++20 -stdlib=libc++ -include algorithm -fsyntax-only -x c++ - 2>/dev/null; then
          found=$compiler
          break
        fi
      done
      [ -n "$found" ] || return 77
      tests_pass "$1" "$found" "-stdlib=libc++ -D_LIBCPP_ENABLE_ASSERTIONS=1 -D_LIBCPP_HARDENING_MODE=_LIBCPP_HARDENING_MODE_EXTENSIVE"
      ;;
    turkish)
      locale -a | grep -qi '^tr_TR' || return 77
      # The same program.
      build signed-char c++ "-fsigned-char $checks" ehlo_tests || return 1
      LC_ALL=$(locale -a | grep -i -m1 '^tr_TR') build/variants/signed-char/ehlo_tests >build/variants/turkish.log ||
        { tail -n 30 build/variants/turkish.log; return 1; }
      ;;
    valgrind)
      command -v valgrind >/dev/null || return 77
      # An operator new of the program's own is left to it.
      local valgrind=(valgrind -q --soname-synonyms=somalloc=nouserintercepts --error-exitcode=9 --leak-check=full)
      # shellcheck disable=SC2046
      build "$1" c++ "-g" ehlo_memory_tests $(replays) || return 1
      "${valgrind[@]}" build/variants/valgrind/ehlo_memory_tests >/dev/null || return 1
      for target in $(replays); do
        "${valgrind[@]}" "build/variants/valgrind/$target" "fuzz/corpus/${target#replay_}" >/dev/null || return 1
      done
      ;;
    msan)
      can_compile clang++ -fsanitize=memory || return 77
      # Trees are balanced in the C++ library, whose writes the sanitizer does not see.
      echo 'fun:*_Rb_tree*' >build/variants/msan.txt
      # A target that counts allocations has an operator new of its own, and so has the sanitizer's library; that of the target is taken.
      # shellcheck disable=SC2046
      LDFLAGS=-Wl,-z,muldefs build "$1" clang++ \
        "-g -fsanitize=memory -fno-sanitize-recover=all -fsanitize-memory-track-origins -fsanitize-ignorelist=$PWD/build/variants/msan.txt" \
        $(replays) || return 1
      # Files, since folders would be read by the C++ library.
      for target in $(replays); do
        find "fuzz/corpus/${target#replay_}" -type f -print0 | xargs -0 "build/variants/msan/$target" >/dev/null || return 1
      done
      ;;
    mingw)
      local compiler=x86_64-w64-mingw32-g++-posix
      command -v "$compiler" >/dev/null || return 77
      if command -v wine >/dev/null; then
        WINEDEBUG=-all cross_tests_pass "$1" "$compiler" wine
      else
        cross_build "$1" "$compiler" && echo "mingw: compiled only, for want of wine"
      fi
      ;;
    aarch64)
      local compiler=aarch64-linux-gnu-g++-$version
      command -v "$compiler" qemu-aarch64-static >/dev/null || return 77
      # Without the vectors there would be nothing to run.
      echo 'static_assert(sizeof(ehlo::detail::scans::block) == 16);' |
        "$compiler" -std=c++20 -Iinclude -include ehlo/codec/octet_scan.hpp -fsyntax-only -x c++ - || return 1
      cross_tests_pass "$1" "$compiler" qemu-aarch64-static
      ;;
    big-endian)
      local compiler=s390x-linux-gnu-g++-$version
      command -v "$compiler" qemu-s390x-static >/dev/null || return 77
      cross_tests_pass "$1" "$compiler" qemu-s390x-static
      ;;
    *) echo "$0: there is no variant '$1'" >&2; return 2 ;;
  esac
}

mkdir -p build/variants
passed=0
failed=0
for name in "${names[@]}"; do
  start=$SECONDS
  run "$name"
  status=$?
  case $status in
    0) passed=$((passed + 1)); echo "passed: $name ($((SECONDS - start)) s)" ;;
    77) echo "skipped: $name, its tools are missing" ;;
    *) failed=$((failed + 1)); echo "failed: $name ($((SECONDS - start)) s)" ;;
  esac
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
