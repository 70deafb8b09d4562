// SPDX-License-Identifier: BSL-1.0
#include <shop.hpp>

#include <cstdlib>

int main() {
  return shop::warehouse().call([] { return EXIT_SUCCESS; });
}
