#include "sluice/base/function_ref.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>

namespace sluice {
namespace {

int call(FunctionRef<int(int)> function, int argument) { return function(argument); }

TEST(FunctionRef, calls_a_lambda) {
  EXPECT_EQ(call([](int n) { return n + 1; }, 1), 2);
}

TEST(FunctionRef, calls_what_it_refers_to_and_not_a_copy) {
  int calls = 0;
  auto count = [calls](int) mutable { return ++calls; };
  call(count, 0);
  call(count, 0);
  EXPECT_EQ(call(count, 0), 3);
}

TEST(FunctionRef, calls_a_constant_lambda) {
  const auto twice = [](int n) { return 2 * n; };
  EXPECT_EQ(call(twice, 4), 8);
}

TEST(FunctionRef, calls_a_std_function) {
  const std::function<int(int)> negate = [](int n) { return -n; };
  EXPECT_EQ(call(negate, 4), -4);
}

TEST(FunctionRef, copy_refers_to_the_same) {
  int sum = 0;
  const auto add = [&sum](int n) { return sum += n; };
  const FunctionRef<int(int)> first = add;
  const FunctionRef<int(int)> second =
      first;  // NOLINT(performance-unnecessary-copy-initialization)
  first(1);
  second(2);
  EXPECT_EQ(sum, 3);
}

TEST(FunctionRef, passes_references_and_move_only_arguments) {
  const auto take = [](int& out, std::unique_ptr<int> in) { out = *in; };
  const FunctionRef<void(int&, std::unique_ptr<int>)> function = take;
  int out = 0;
  function(out, std::make_unique<int>(7));
  EXPECT_EQ(out, 7);
}

}  // namespace
}  // namespace sluice
