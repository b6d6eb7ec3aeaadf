// SPDX-License-Identifier: BSL-1.0
#include "support/cases.hpp"

#include <cstdio>
#include <cstdlib>
#include <list>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#if defined(__x86_64__)
/// What `__builtin_cpu_supports` reads.
extern "C" struct {
  unsigned vendor;
  unsigned type;
  unsigned subtype;
  unsigned features[1];
} __cpu_model;
#endif

namespace bench {

namespace {

/// Takes AVX2 from the processor, as far as a choice at run time can see: what is counted is the same on each.
void forget_avx2() {
#if defined(__x86_64__)
  constexpr unsigned avx2 = 1U << 10U;
  __builtin_cpu_init();
  __cpu_model.features[0] &= ~avx2;
#endif
}

struct named_pass {
  std::string name;
  pass run;
};

std::vector<named_pass>& cases() {
  static std::vector<named_pass> all;
  return all;
}

std::string folder;

std::string read_file(const std::string& path) {
  std::FILE* const file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) {
    std::perror(path.c_str());
    std::exit(EXIT_FAILURE);
  }
  std::string out;
  std::vector<char> part(std::size_t{1} << 20U);
  while (const std::size_t count = std::fread(part.data(), 1, part.size(), file)) out.append(part.data(), count);
  std::fclose(file);
  return out;
}

void print(const std::string& name, const work& done) {
  std::printf("%s\titems=%zu\toctets=%zu\tgood=%zu\n", name.c_str(), done.items, done.octets, done.good);
}

}  // namespace

void add(std::string name, pass run) { cases().push_back({std::move(name), std::move(run)}); }

std::string_view corpus(std::string_view name) {
  struct file {
    std::string name;
    std::string octets;
    std::size_t size;
  };
  static std::list<file> files;
  for (const file& each : files) {
    if (each.name == name) return {each.octets.data(), each.size};
  }
  std::string octets = read_file(folder + "/" + std::string{name});
  const std::size_t size = octets.size();
  octets.append(64, '\0');
  files.push_back({std::string{name}, std::move(octets), size});
  return {files.back().octets.data(), size};
}

std::string_view lines_up_to(std::string_view text, std::size_t size) {
  text = text.substr(0, size);
  return text.substr(0, text.rfind("\r\n") + 2);
}

}  // namespace bench

/// What callgrind counts: nothing else of the program.
extern "C" __attribute__((noinline)) void ehlo_measured_pass(const bench::pass& run, bench::work& done) { done = run(); }

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s CORPUS [--list | --pass NAME | Google Benchmark's options]\n", argv[0]);
    return 2;
  }
  bench::folder = argv[1];
  argv[1] = argv[0];
  add_cases();
  const std::string_view option = argc > 2 ? argv[2] : "";
  if (option == "--list") {
    for (const auto& each : bench::cases()) std::printf("%s\n", each.name.c_str());
    return 0;
  }
  if (option == "--pass" && argc > 3) {
    bench::forget_avx2();
    for (const auto& each : bench::cases()) {
      if (each.name != argv[3]) continue;
      each.run();  // what is done once only (symbols looked up, buffers grown) is not counted
      bench::work done;
      ehlo_measured_pass(each.run, done);
      bench::print(each.name, done);
      return 0;
    }
    std::fprintf(stderr, "no case %s\n", argv[3]);
    return 2;
  }
  for (const auto& each : bench::cases()) {
    benchmark::RegisterBenchmark(each.name.c_str(), [&each](benchmark::State& state) {
      bench::work done;
      for ([[maybe_unused]] auto _ : state) done = each.run();
      state.counters["items"] = static_cast<double>(done.items);
      state.counters["octets"] = static_cast<double>(done.octets);
      state.counters["good"] = static_cast<double>(done.good);
    });
  }
  int count = argc - 1;
  benchmark::Initialize(&count, argv + 1);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
