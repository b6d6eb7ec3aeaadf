// SPDX-License-Identifier: BSL-1.0
// Every code block of the pages stands in a file that is compiled or executed: C++ in the tests and examples, CMake in the consumer
// projects, shell lines in the scripts that continuous integration runs. Dialogues are played by `dialogues_test.cpp`.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

namespace {

namespace fs = std::filesystem;

const fs::path root = EHLO_SOURCE_DIR;

struct block {
  std::string place;
  std::string language;
  std::vector<std::string> lines;
};

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return std::string{text.substr(first, text.find_last_not_of(" \t\r") - first + 1)};
}

std::vector<std::string> lines_of(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) out.push_back(trimmed(line));
  return out;
}

std::vector<block> blocks_of(const fs::path& page) {
  std::vector<block> out;
  bool inside = false;
  std::size_t number = 0;
  for (const std::string& line : lines_of(page)) {
    ++number;
    if (line.starts_with("```")) {
      inside = !inside;
      if (inside) out.push_back({page.string() + ":" + std::to_string(number), line.substr(3), {}});
    } else if (inside && !line.empty()) {
      out.back().lines.push_back(line);
    }
  }
  return out;
}

/// True if one of the scripts runs the line: it stands in one, or it is one of the scripts with its arguments in another.
bool is_run(const std::vector<fs::path>& scripts, std::string_view line) {
  const std::string command{line.starts_with("./") ? line.substr(2) : line};
  if (command == ".ci/run" && fs::exists(root / command)) return true;  // who runs the tests has run it, or will
  return std::any_of(scripts.begin(), scripts.end(), [&command](const fs::path& file) {
    const auto lines = lines_of(file);
    return std::any_of(lines.begin(), lines.end(), [&command](const std::string& l) { return l.find(command) != l.npos; });
  });
}

/// True if the lines stand in the file one after the other; empty lines do not count.
bool holds(const fs::path& file, const std::vector<std::string>& wanted) {
  std::vector<std::string> found = lines_of(file);
  std::erase(found, std::string{});
  return std::search(found.begin(), found.end(), wanted.begin(), wanted.end()) != found.end();
}

std::vector<fs::path> files_under(std::vector<std::string> folders, std::vector<std::string> endings) {
  std::vector<fs::path> out;
  for (const std::string& folder : folders) {
    if (fs::is_regular_file(root / folder)) out.push_back(root / folder);
    if (!fs::is_directory(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const std::string name = entry.path().filename().string();
      if (entry.is_regular_file() &&
          std::any_of(endings.begin(), endings.end(), [&name](const std::string& ending) { return name.ends_with(ending); }))
        out.push_back(entry.path());
    }
  }
  return out;
}

}  // namespace

TEST_CASE("every code block of the pages is compiled or executed", "[docs]") {
  std::vector<fs::path> pages = files_under({"docs"}, {".md"});
  for (const char* page : {"README.md", "CONTRIBUTING.md"}) pages.push_back(root / page);
  const auto code = files_under({"tests", "examples", "fuzz"}, {".cpp", ".hpp"});
  const auto projects = files_under({"tests/consumer"}, {"CMakeLists.txt"});
  auto scripts = files_under({"tests", "examples", "fuzz"}, {".sh"});
  scripts.push_back(root / ".ci/run");
  std::size_t seen = 0;
  for (const fs::path& page : pages) {
    for (const block& b : blocks_of(page)) {
      if (b.language == "mermaid" || b.language == "text" || b.language == "smtp") continue;  // pictures, output, dialogues
      CAPTURE(b.place, b.language, b.lines);
      ++seen;
      const auto in_any = [](const std::vector<fs::path>& files, const std::vector<std::string>& lines) {
        return std::any_of(files.begin(), files.end(), [&lines](const fs::path& file) { return holds(file, lines); });
      };
      if (b.language == "cpp") {
        CHECK(in_any(code, b.lines));
      } else if (b.language == "cmake") {
        CHECK(in_any(projects, b.lines));
      } else if (b.language == "sh") {
        for (const std::string& line : b.lines) {
          CAPTURE(line);
          CHECK((line.starts_with('#') || is_run(scripts, line)));
        }
      } else {
        FAIL("a code block in a language that no test knows");
      }
    }
  }
  CHECK(seen >= 2);
}
