// What works on many things at once: the pool of threads, the lanes of the hash.
#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "base/digest.hpp"
#include "base/sha256_lanes.hpp"
#include "base/worker_pool.hpp"

namespace studio {
namespace {

Bytes counted_bytes(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 7 + (i >> 8));
  return bytes;
}

void expect_digests_of(const std::vector<ByteView>& runs) {
  const auto expect = [&](std::string_view how, const auto& hash) {
    std::vector<Digest> digests(runs.size());
    hash(runs, digests);
    for (std::size_t i = 0; i < runs.size(); ++i)
      ASSERT_EQ(digests[i].hex(), Sha256::of(runs[i]).hex()) << how << ", run " << i << " of " << runs.size();
  };
  expect("the fastest", Sha256::of_each);
  if (k_sha256_avx512.is_supported()) expect("AVX-512", k_sha256_avx512.hash);
  if (k_sha256_instructions.is_supported()) expect("SHA instructions", k_sha256_instructions.hash);
}

TEST(Sha256Lanes, EveryLengthUpToSeveralBlocks) {
  const Bytes bytes = counted_bytes(300);
  std::vector<ByteView> runs;
  for (std::size_t length = 0; length <= 260; ++length) runs.push_back(ByteView(bytes).subspan(length % 40, length));
  expect_digests_of(runs);
}

TEST(Sha256Lanes, AnyNumberOfRunsOfAnyLengths) {
  const Bytes bytes = counted_bytes(300'000);
  std::size_t state = 1;
  const auto below = [&](std::size_t limit) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % limit;
  };
  for (std::size_t count = 0; count <= 70; ++count) {
    std::vector<ByteView> runs;
    for (std::size_t i = 0; i < count; ++i)
      runs.push_back(ByteView(bytes).subspan(below(1000), below(10) == 0 ? below(200'000) : below(2'000)));
    expect_digests_of(runs);
  }
}

TEST(WorkerPool, DoesWhatWasSubmittedBeforeItEnds) {
  std::atomic<int> done = 0;
  {
    WorkerPool pool(2);
    for (int i = 0; i < 1000; ++i) pool.submit([&](std::size_t) { ++done; });
  }
  EXPECT_EQ(done, 1000);
}

TEST(WorkerPool, ATaskWaitsForItsPartsByDoingThem) {
  WorkerPool pool(1);  // nobody else could
  std::atomic<bool> done = false;
  int parts = 0;
  pool.submit([&](std::size_t worker) {
    std::atomic<int> left = 5;
    for (int i = 0; i < 5; ++i)
      pool.submit_part([&](std::size_t) {
        ++parts;
        --left;
      });
    pool.do_parts_until(worker, [&] { return left == 0; });
    done = true;
  });
  pool.wait_until([&] { return done.load(); });
  EXPECT_EQ(parts, 5);
}

TEST(WorkerPool, WithoutThreadsTheCallerDoesIt) {
  WorkerPool pool(0);
  std::vector<int> order;
  pool.submit([&](std::size_t worker) {
    pool.submit_part([&](std::size_t) { order.push_back(1); });
    pool.do_parts_until(worker, [&] { return order.size() == 1; });
    order.push_back(2);
  });
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

}  // namespace
}  // namespace studio
