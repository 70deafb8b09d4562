// SPDX-License-Identifier: BSL-1.0
#include <cstdio>
#include <cstdlib>

bool older_refuses_a_threshold_of_0();
bool newer_allows_a_threshold_of_0();

int main() {
  const bool refused = older_refuses_a_threshold_of_0();
  const bool allowed = newer_allows_a_threshold_of_0();
  if (refused && allowed) return EXIT_SUCCESS;
  std::printf("the older version %s a threshold of 0, the newer one %s it\n", refused ? "refuses" : "ALLOWS",
              allowed ? "allows" : "REFUSES");
  return EXIT_FAILURE;
}
