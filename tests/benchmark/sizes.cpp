// SPDX-License-Identifier: BSL-1.0
// The octets of a session itself, with storage on demand. Row 20.
#include <cstdio>

#include <ehlo/ehlo.hpp>

int main() {
  std::printf("server_session\t%zu\n", sizeof(ehlo::server_session));
  std::printf("client_session\t%zu\n", sizeof(ehlo::client_session));
}
