// What the contract suites share.
#pragma once

#include <gtest/gtest.h>

#include <barrier>
#include <thread>
#include <vector>

#include "base/result.hpp"

namespace studio::test {

template <class T>
void expect_code(const Result<T>& result, Code code) {
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, code) << name_of(result.error().code) << ": " << result.error().message;
  EXPECT_FALSE(result.error().message.empty());
}

// Runs `work(i)` in as many threads, which start together.
template <class Work>
void in_threads(int count, Work work) {
  std::barrier start(count);
  std::vector<std::jthread> threads;
  for (int i = 0; i < count; ++i)
    threads.emplace_back([&, i] {
      start.arrive_and_wait();
      work(i);
    });
}

}  // namespace studio::test
