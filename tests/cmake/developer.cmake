# SPDX-License-Identifier: BSL-1.0
# Tests, examples and fuzz targets: what only the developers of ehlo build. Sources are found by their names, so that a new file
# needs no line here.

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
add_executable(ehlo_tests ${test_sources})
target_link_libraries(ehlo_tests PRIVATE ehlo_catch)
target_precompile_headers(ehlo_tests PRIVATE ${PROJECT_SOURCE_DIR}/tests/support/catch.hpp)  # half of the time of a small test
add_test(NAME ehlo_tests COMMAND ehlo_tests)
if(memory_sources)
  add_executable(ehlo_memory_tests ${memory_sources})
  target_link_libraries(ehlo_memory_tests PRIVATE ehlo_catch)
  add_test(NAME ehlo_memory_tests COMMAND ehlo_memory_tests)
endif()

# Examples: examples/NN_name.cpp is a program.
file(GLOB example_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/examples/[0-9][0-9]_*.cpp)
foreach(source ${example_sources})
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE ehlo_developer)
endforeach()

# Fuzz targets: fuzz/name.cpp, for libFuzzer, and with a plain main that replays files, so that the corpora are tests everywhere.
file(GLOB fuzz_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/fuzz/*.cpp)
add_library(ehlo_replay OBJECT ${PROJECT_SOURCE_DIR}/fuzz/support/replay_main.cpp)
target_link_libraries(ehlo_replay PUBLIC ehlo_developer)
foreach(source ${fuzz_sources})
  get_filename_component(name ${source} NAME_WE)
  add_executable(replay_${name} ${source})
  target_link_libraries(replay_${name} PRIVATE ehlo_replay)
  add_test(NAME replay_${name} COMMAND replay_${name} ${PROJECT_SOURCE_DIR}/fuzz/corpus/${name})
  if(EHLO_FUZZ)
    add_executable(fuzz_${name} ${source})
    target_link_libraries(fuzz_${name} PRIVATE ehlo_developer)
    target_compile_options(fuzz_${name} PRIVATE -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer,address,undefined)
  endif()
endforeach()
