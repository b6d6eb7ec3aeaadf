# SPDX-License-Identifier: BSL-1.0
# Tests, examples and fuzz targets: what only the developers of ehlo build. Sources are found by their names, so that a new file
# needs no line here.

include(CheckCXXSourceCompiles)
include(CheckIncludeFileCXX)
add_library(ehlo_developer INTERFACE)
target_link_libraries(ehlo_developer INTERFACE ehlo::ehlo)
target_compile_options(
  ehlo_developer
  INTERFACE -Wall
            -Wextra
            -Wpedantic
            -Wconversion
            -Wshadow
            -Wsign-conversion
            $<$<BOOL:${EHLO_WERROR}>:-Werror>)
target_compile_definitions(ehlo_developer INTERFACE EHLO_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
target_include_directories(ehlo_developer INTERFACE ${PROJECT_SOURCE_DIR}/tests ${PROJECT_SOURCE_DIR}/fuzz)
if(EHLO_SANITIZE)
  target_compile_options(ehlo_developer INTERFACE -fsanitize=${EHLO_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(ehlo_developer INTERFACE -fsanitize=${EHLO_SANITIZE})
endif()
set(CMAKE_VERIFY_INTERFACE_HEADER_SETS ON)
set_target_properties(ehlo PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
enable_testing()

# Catch2: version 3, or the 2.13 that stable distributions ship.
FetchContent_Declare(Catch2 GIT_REPOSITORY https://github.com/catchorg/Catch2.git GIT_TAG v3.7.1 FIND_PACKAGE_ARGS)
FetchContent_MakeAvailable(Catch2)
add_library(ehlo_catch OBJECT ${PROJECT_SOURCE_DIR}/tests/support/catch_main.cpp)
target_link_libraries(ehlo_catch PUBLIC ehlo_developer)
if(TARGET Catch2::Catch2WithMain)
  target_link_libraries(ehlo_catch PUBLIC Catch2::Catch2WithMain)
else()
  target_link_libraries(ehlo_catch PUBLIC Catch2::Catch2)
endif()

# The tests that count allocations replace operator new, so they are a program of their own.
file(GLOB_RECURSE test_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/*_test.cpp)
list(FILTER test_sources EXCLUDE REGEX "/tests/consumer/")
set(memory_sources ${test_sources})
list(FILTER memory_sources INCLUDE REGEX "memory_test.cpp$")
list(FILTER test_sources EXCLUDE REGEX "memory_test.cpp$")
# What the tests share is compiled once: the headers, the sessions and the players of dialogues.
file(GLOB shared_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/support/*_dialogue.cpp)
list(APPEND shared_sources ${PROJECT_SOURCE_DIR}/tests/support/precompiled.cpp)
add_executable(ehlo_tests ${test_sources} ${shared_sources})
target_link_libraries(ehlo_tests PRIVATE ehlo_catch)
set(CMAKE_PCH_PROLOGUE "")  # it would make system headers of ours, which give no warnings
target_precompile_headers(ehlo_tests PRIVATE ${PROJECT_SOURCE_DIR}/tests/support/precompiled.hpp)
# What tries all texts or walks all states would take minutes without the optimizer.
set(exhaustive_sources ${test_sources})
list(FILTER exhaustive_sources INCLUDE REGEX "/(walk|walk_two_ends|octet_scan|octet_run|abnf|mail_data_reader)_test.cpp$")
set_source_files_properties(${exhaustive_sources} PROPERTIES COMPILE_OPTIONS "$<$<CONFIG:Debug>:-O1>" SKIP_PRECOMPILE_HEADERS ON)
# In two halves, which take about the same time and can run side by side.
add_test(NAME ehlo_tests_client_and_walks COMMAND ehlo_tests "[client],[walk]")
add_test(NAME ehlo_tests_rest COMMAND ehlo_tests "~[client]~[walk]")
if(memory_sources)
  add_executable(ehlo_memory_tests ${memory_sources})
  target_link_libraries(ehlo_memory_tests PRIVATE ehlo_catch)
  add_test(NAME ehlo_memory_tests COMMAND ehlo_memory_tests)
endif()

# Examples: examples/NN_name.cpp is a program. Those with TLS need packages, and coroutines a compiler that has them; without, they are
# skipped.
find_package(OpenSSL QUIET)
find_package(Threads QUIET)
find_path(ASIO_INCLUDE_DIR asio/awaitable.hpp)
find_path(GSASL_INCLUDE_DIR gsasl.h)
find_library(GSASL_LIBRARY gsasl)
find_path(PCAP_INCLUDE_DIR pcap/pcap.h)
find_library(PCAP_LIBRARY pcap)
# Clang 14 has coroutines, and Asio does not know it.
set(asio_definitions ASIO_STANDALONE ASIO_HAS_CO_AWAIT=1 ASIO_HAS_STD_COROUTINE=1)
set(CMAKE_REQUIRED_FLAGS -std=c++20)
check_cxx_source_compiles(
  "#include <coroutine>
  struct task { struct promise_type {
    task get_return_object() { return {}; }
    std::suspend_never initial_suspend() { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() {}
  }; };
  task run() { co_await std::suspend_never{}; }
  int main() { run(); }"
  EHLO_HAS_COROUTINES)
unset(CMAKE_REQUIRED_FLAGS)
check_include_file_cxx(sys/epoll.h EHLO_HAS_EPOLL)
set(needs_of_02 EHLO_HAS_EPOLL)
set(needs_of_03 OpenSSL_FOUND)
set(needs_of_05 OpenSSL_FOUND Threads_FOUND ASIO_INCLUDE_DIR GSASL_INCLUDE_DIR GSASL_LIBRARY EHLO_HAS_COROUTINES)
set(needs_of_06 PCAP_INCLUDE_DIR PCAP_LIBRARY)
add_custom_target(ehlo_examples)
file(GLOB example_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/examples/[0-9][0-9]_*.cpp)
foreach(source ${example_sources})
  get_filename_component(name ${source} NAME_WE)
  string(SUBSTRING ${name} 0 2 number)
  set(missing)
  foreach(need ${needs_of_${number}})
    if(NOT ${need})
      list(APPEND missing ${need})
    endif()
  endforeach()
  if(missing)
    message(STATUS "Skipping the example ${name}: no ${missing}")
    continue()
  endif()
  add_executable(${name} ${source})
  add_dependencies(ehlo_examples ${name})
  target_link_libraries(${name} PRIVATE ehlo_developer)
  if("OpenSSL_FOUND" IN_LIST needs_of_${number})
    target_link_libraries(${name} PRIVATE OpenSSL::SSL)
  endif()
endforeach()
if(TARGET 03_send AND GSASL_INCLUDE_DIR AND GSASL_LIBRARY)
  target_compile_definitions(03_send PRIVATE EHLO_EXAMPLE_HAS_GSASL)
  target_include_directories(03_send SYSTEM PRIVATE ${GSASL_INCLUDE_DIR})
  target_link_libraries(03_send PRIVATE ${GSASL_LIBRARY})
endif()
if(TARGET 05_submission)
  target_compile_definitions(05_submission PRIVATE ${asio_definitions})
  target_include_directories(05_submission SYSTEM PRIVATE ${ASIO_INCLUDE_DIR} ${GSASL_INCLUDE_DIR})
  target_link_libraries(05_submission PRIVATE ${GSASL_LIBRARY} Threads::Threads)
  # Its driver serves a client as well.
  add_executable(asio_drive ${PROJECT_SOURCE_DIR}/tests/examples/asio_drive.cpp)
  add_dependencies(ehlo_examples asio_drive)
  target_link_libraries(asio_drive PRIVATE ehlo_developer OpenSSL::SSL Threads::Threads)
  target_compile_definitions(asio_drive PRIVATE ${asio_definitions})
  target_include_directories(asio_drive SYSTEM PRIVATE ${ASIO_INCLUDE_DIR})
  add_test(NAME asio_drive COMMAND asio_drive)
  if(EHLO_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # Clang 14 cannot put the check of function pointers' types before a coroutine ("a difference across sections").
    # An option of the source, because those of a target stand before -fsanitize.
    set_source_files_properties(${PROJECT_SOURCE_DIR}/examples/05_submission.cpp ${PROJECT_SOURCE_DIR}/tests/examples/asio_drive.cpp
                                PROPERTIES COMPILE_OPTIONS -fno-sanitize=function)
  endif()
endif()
if(TARGET 06_observe)
  target_include_directories(06_observe SYSTEM PRIVATE ${PCAP_INCLUDE_DIR})
  target_link_libraries(06_observe PRIVATE ${PCAP_LIBRARY})
endif()

# Fuzz targets: fuzz/name.cpp, for libFuzzer, or with a plain main that replays files, so that the corpora are tests everywhere.
file(GLOB fuzz_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/fuzz/*.cpp)
add_library(ehlo_replay OBJECT ${PROJECT_SOURCE_DIR}/fuzz/support/replay_main.cpp)
target_link_libraries(ehlo_replay PUBLIC ehlo_developer)
foreach(source ${fuzz_sources})
  get_filename_component(name ${source} NAME_WE)
  set(corpus ${PROJECT_SOURCE_DIR}/fuzz/corpus/${name})
  if(EHLO_FUZZ)
    add_executable(fuzz_${name} ${source})
    target_link_libraries(fuzz_${name} PRIVATE ehlo_developer)
    target_compile_options(fuzz_${name} PRIVATE -O1 -g1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer,address,undefined)
    add_test(NAME replay_${name} COMMAND fuzz_${name} -runs=0 ${corpus})
  else()
    add_executable(replay_${name} ${source})
    target_link_libraries(replay_${name} PRIVATE ehlo_replay)
    add_test(NAME replay_${name} COMMAND replay_${name} ${corpus})
  endif()
endforeach()
