// The small things of the room: the memory store, the decorators, the registry. local_test.cpp has the local store.
#include <gmock/gmock.h>

#include "blob/counting.hpp"
#include "blob/fault.hpp"
#include "blob/memory.hpp"
#include "blob/registry.hpp"
#include "contract/blob_store_contract.hpp"
#include "contract/scratch_directory.hpp"

namespace studio::blob {
namespace {

struct MemoryBackend {
  Store& store() { return memory; }
  Store& another() { return memory; }
  MemoryStore memory;
};
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, BlobStoreContract, MemoryBackend);

// A decorator must not change what it decorates.
struct DecoratedBackend {
  Store& store() { return faults; }
  Store& another() { return counting; }
  MemoryStore memory;
  CountingStore counting{memory};
  FaultStore faults{counting, [](Call, std::string_view, std::uint64_t) { return std::nullopt; }};
};
INSTANTIATE_TYPED_TEST_SUITE_P(Decorated, BlobStoreContract, DecoratedBackend);

const Fault k_lost_before{{Code::unavailable, "connection refused"}, Fault::When::before};
const Fault k_lost_after{{Code::unavailable, "connection reset"}, Fault::When::after};
const Store::Visitor k_ignore = [](const ObjectInfo&) -> Result<void> { return {}; };

TEST(FaultStore, FailsTheNthCallOnly) {
  MemoryStore memory;
  FaultStore store(memory, fail_call(2, k_lost_before));
  EXPECT_TRUE(put(store, "a", as_bytes("1")).has_value());
  const auto second = put(store, "b", as_bytes("2"));
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().message, "connection refused");
  EXPECT_TRUE(put(store, "c", as_bytes("3")).has_value());
  EXPECT_FALSE(memory.stat("b").has_value()) << "it failed before its effect";
  EXPECT_EQ(store.calls(), 3u);
}

TEST(FaultStore, LosesTheAnswerOfAPutThatHappened) {
  MemoryStore memory;
  FaultStore store(memory, fail_call(1, k_lost_after));
  EXPECT_FALSE(put(store, "a", as_bytes("1"), Condition::if_absent()).has_value());
  EXPECT_TRUE(memory.stat("a").has_value());
  const auto again = put(store, "a", as_bytes("1"), Condition::if_absent());
  EXPECT_EQ(again.error().code, Code::already_exists);
}

TEST(FaultStore, KeepsTheErrorOfACallThatFailsByItself) {
  MemoryStore memory;
  FaultStore store(memory, fail_call(1, k_lost_after));
  EXPECT_EQ(store.get("none", {}).error().code, Code::not_found);
}

TEST(FaultStore, AsksThePolicyAboutEveryCall) {
  MemoryStore memory;
  std::vector<std::pair<Call, std::string>> asked;
  FaultStore store(memory, [&](Call call, std::string_view key, std::uint64_t number) -> std::optional<Fault> {
    asked.emplace_back(call, key);
    EXPECT_EQ(number, asked.size());
    return k_lost_before;
  });
  EXPECT_FALSE(store.stat("a").has_value());
  EXPECT_FALSE(store.get("b", {}).has_value());
  EXPECT_FALSE(store.view("v").has_value());
  EXPECT_FALSE(put(store, "c", {}).has_value());
  EXPECT_FALSE(store.remove("d").has_value());
  EXPECT_FALSE(store.list("e", k_ignore).has_value());
  EXPECT_THAT(asked, testing::ElementsAre(testing::Pair(Call::stat, "a"), testing::Pair(Call::get, "b"),
                                          testing::Pair(Call::get, "v"), testing::Pair(Call::put, "c"),
                                          testing::Pair(Call::remove, "d"), testing::Pair(Call::list, "e")));
}

TEST(CountingStore, CountsCallsAndBytes) {
  MemoryStore memory;
  CountingStore store(memory);
  const std::vector<ByteView> parts{as_bytes("ab"), as_bytes("cde")};
  EXPECT_TRUE(store.put("k", parts, {}).has_value());
  EXPECT_FALSE(put(store, "k", as_bytes("refused"), Condition::if_absent()).has_value());
  EXPECT_TRUE(store.get("k", {1, 2}).has_value());
  EXPECT_FALSE(store.get("none", {}).has_value());
  EXPECT_TRUE(store.view("k").has_value());
  EXPECT_TRUE(store.stat("k").has_value());
  EXPECT_TRUE(store.list("", k_ignore).has_value());
  EXPECT_TRUE(store.remove("k").has_value());
  EXPECT_EQ(store.counts(), (Counts{1, 2, 2, 1, 1, 1, 2, 5, 1}));
  store.reset();
  EXPECT_EQ(store.counts(), Counts());
}

TEST(Registry, OpensEveryKnownType) {
  const test::ScratchDirectory scratch;
  EXPECT_THAT(known_types(), testing::ElementsAre("local", "memory", "http"));
  EXPECT_EQ(open_store({.type = "http"}).error().code, Code::invalid) << "without a server";
  for (const std::string_view type : {"local", "memory"}) {
    const auto store = open_store({std::string(type), scratch / "store"});
    ASSERT_TRUE(store.has_value()) << store.error().message;
    EXPECT_TRUE(put(**store, "k", as_bytes("x")).has_value());
  }
}

}  // namespace
}  // namespace studio::blob
