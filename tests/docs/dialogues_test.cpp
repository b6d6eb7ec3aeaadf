// SPDX-License-Identifier: BSL-1.0
// Plays each dialogue of the pages (blocks marked `smtp`) through a server session, in every cut, and compares every line.
//
// In a block, `C:` is a line of the client, `S:` one of the server, and `#` a remark. One that does not begin with the greeting
// begins behind it; one that begins with neither greeting nor hello begins behind an EHLO that was answered.
#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"

namespace {

namespace fs = std::filesystem;

struct dialogue {
  std::string place;
  std::vector<std::string> lines;  // without remarks
};

std::vector<dialogue> dialogues_of(const fs::path& page) {
  std::vector<dialogue> out;
  std::ifstream in{page, std::ios::binary};
  bool inside = false;
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.starts_with("```")) {
      inside = line == "```smtp";
      if (inside) out.push_back({page.filename().string() + ":" + std::to_string(number), {}});
    } else if (inside && !line.empty() && !line.starts_with('#')) {
      out.back().lines.push_back(line);
    }
  }
  return out;
}

std::vector<dialogue> all_dialogues() {
  const fs::path root = EHLO_SOURCE_DIR;
  std::vector<fs::path> pages{root / "README.md"};
  for (const auto& entry : fs::recursive_directory_iterator{root / "docs"}) {
    if (entry.path().extension() == ".md") pages.push_back(entry.path());
  }
  std::sort(pages.begin(), pages.end());
  std::vector<dialogue> out;
  for (const fs::path& page : pages) {
    for (dialogue& d : dialogues_of(page)) out.push_back(std::move(d));
  }
  return out;
}

ehlo::mailbox mailbox(std::string_view text) { return *ehlo::mailbox::parse(text); }

/// The host of the pages: mx.example, with Ann and Bob Smith, a list, and Carol, who has moved.
class host {
 public:
  explicit host(const dialogue& played) : options_{options_for(played)} {}
  host(const host&) = delete;
  host& operator=(const host&) = delete;

  /// Gives the session a group of lines in pieces of `cut` octets, and returns what it says.
  std::string say(std::string_view octets, std::size_t cut) {
    said_.clear();
    rest_ = octets;
    cut_ = cut;
    hungry_ = false;
    while (!hungry_ && ehlo::dispatch(session_, session_.next(input_), *this)) {
    }
    return said_;
  }

  void on(ehlo::transmit a) { said_ += a.octets; }
  void on(ehlo::receive) {
    hungry_ = rest_.empty();
    piece_ = rest_.substr(0, cut_);  // an own buffer, so that nothing is read beyond it
    rest_.remove_prefix(piece_.size());
    input_ = piece_;
  }
  void on(ehlo::start_tls) { session_.tls_started(); }

  void on(const ehlo::rcpt_question& q) {
    const auto to = q.forward_path.mailbox();
    if (!to || *to == ann || *to == bob || *to == crew) {
      session_.accept();
    } else if (*to == carol) {
      session_.accept_forward(carol_now);
    } else {
      session_.reject(to->host() == ann.host() ? ehlo::replies::no_such_mailbox : ehlo::replies::relaying_denied);
    }
  }
  ehlo::reply on(const ehlo::message_question& q) {
    const bool is_full = q.recipient == 1;  // LMTP: the second recipient's
    return is_full ? ehlo::replies::mailbox_full : ehlo::replies::message_ok;
  }
  void on(const ehlo::vrfy_question& q) {
    const ehlo::listing one{ann, "Ann Smith"}, other{bob, "Bob Smith"};
    if (q.argument == "Smith") {
      session_.reject_ambiguous(std::array{one, other});
    } else if (q.argument == "ann" || q.mailbox == ann) {
      session_.accept(one);
    } else if (q.argument == "carol") {
      session_.accept_forward(carol_now);
    } else {
      session_.answer_default();
    }
  }
  void on(const ehlo::expn_question& q) {
    if (q.argument == "crew") {
      session_.accept(std::array{ehlo::listing{ann, "Ann Smith"}, ehlo::listing{bob, "Bob Smith"}, ehlo::listing{carol_now}});
    } else {
      session_.reject(ehlo::replies::no_such_mailbox);
    }
  }
  void on(const ehlo::auth_question& q) {
    const bool is_ann = q.response && q.response->text() == "AGFubgBzd29yZGZpc2g=";  // NUL ann NUL swordfish
    is_ann ? session_.authenticated() : session_.reject(ehlo::replies::bad_credentials);
  }

 private:
  /// What the dialogue needs is offered; what it does not mention is not, so that the replies to EHLO stay short.
  static ehlo::server_options options_for(const dialogue& played) {
    static constexpr std::array mechanisms{ehlo::mechanisms::plain};
    const auto mentions = [&played](std::string_view text) {
      return std::any_of(played.lines.begin(), played.lines.end(),
                         [text](const std::string& line) { return line.find(text) != line.npos; });
    };
    ehlo::server_options out{.hostname = "mx.example"};
    out.extensions.expn = true;
    if (mentions("C: LHLO")) out.protocol = ehlo::protocol::lmtp;
    if (mentions("STARTTLS")) out.tls = ehlo::tls_mode::offered;
    if (mentions("AUTH")) out.mechanisms = mechanisms;
    if (mentions("BODY=BINARYMIME")) out.extensions.binary_mime = true;
    if (mentions("SMTPUTF8")) out.extensions.smtputf8 = true;
    if (mentions("NOTIFY=")) out.extensions.dsn = true;
    return out;
  }

  const ehlo::server_options options_;
  const ehlo::mailbox ann = mailbox("ann@mx.example"), bob = mailbox("bob@mx.example"), crew = mailbox("crew@mx.example"),
                      carol = mailbox("carol@mx.example"), carol_now = mailbox("carol@elsewhere.example");
  ehlo::server_session session_{options_};
  std::string piece_, said_;
  std::string_view input_, rest_;
  std::size_t cut_ = 0;
  bool hungry_ = false;
};

/// The lines as one text.
std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  return out;
}

/// The dialogue as it takes place: the client's lines as they stand, and what the server says to them.
std::string play(const dialogue& d, std::size_t cut) {
  host here{d};
  std::string said = here.say("", cut);
  const std::string_view first = d.lines.empty() ? "" : std::string_view{d.lines.front()};
  if (!first.starts_with("S: 220")) said.clear();
  if (first.starts_with("C: ") && first.substr(4, 3) != "HLO" && first.substr(4, 3) != "ELO")
    here.say("EHLO client.example\r\n", cut);

  std::vector<std::string> out;
  const auto server_lines = [&out, &said] {
    for (std::string_view rest = said; !rest.empty();) {
      const std::size_t end = rest.find("\r\n");
      out.push_back("S: " + std::string{rest.substr(0, end)});
      rest.remove_prefix(end == rest.npos ? rest.size() : end + 2);
    }
  };
  server_lines();
  for (auto line = d.lines.begin(); line != d.lines.end();) {
    std::string group;
    for (; line != d.lines.end() && line->starts_with("C:"); ++line) {
      group += line->size() > 3 ? line->substr(3) : "";
      group += "\r\n";
      out.push_back(*line);
    }
    if (!group.empty()) {
      said = here.say(group, cut);
      server_lines();
    }
    while (line != d.lines.end() && !line->starts_with("C:")) ++line;  // said, or missed: the comparison shows it
  }
  return joined(out);
}

}  // namespace

TEST_CASE("Every dialogue of the pages takes place as it is printed, in every cut", "[docs]") {
  const std::vector<dialogue> dialogues = all_dialogues();
  CHECK(dialogues.size() >= 15);
  for (const dialogue& d : dialogues) {
    for (const std::size_t cut :
         {std::numeric_limits<std::size_t>::max(), std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{7}}) {
      const std::string played = play(d, cut);
      if (played == joined(d.lines)) continue;
      CAPTURE(d.place, cut);
      CHECK(played == joined(d.lines));
      break;  // the other cuts would say it again
    }
  }
}

TEST_CASE("A page with a wrong dialogue is found", "[docs]") {
  const dialogue wrong{"here", {"S: 220 mx.example ESMTP", "C: HELP", "S: 250 HELP gives no 250"}};
  CHECK(play(wrong, 5) != joined(wrong.lines));
  const dialogue missing{"here", {"C: EHLO client.example", "S: 250-mx.example"}};
  CHECK(play(missing, 5) != joined(missing.lines));
}
