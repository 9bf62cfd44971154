// Copies of what is far away: a store by contract, and what is asked of the one behind it.
#include "blob/view_cache.hpp"

#include <gmock/gmock.h>

#include "base/digest.hpp"
#include "blob/counting.hpp"
#include "blob/fault.hpp"
#include "blob/memory.hpp"
#include "contract/blob_store_contract.hpp"

namespace studio::blob {
namespace {

std::string key_of(const std::string& text) { return concat("index/", Sha256::of(as_bytes(text)).hex()); }

struct CachedBackend {
  Store& store() { return cache; }
  Store& another() { return cache; }
  MemoryStore far;
  MemoryStore copies;
  ViewCache cache{far, copies, "index/", [](const std::string&) {}};
};
INSTANTIATE_TYPED_TEST_SUITE_P(Cached, BlobStoreContract, CachedBackend);

class ViewCacheTest : public testing::Test {
 protected:
  ViewCache opened() {
    return ViewCache(far_, copies_, "index/", [this](const std::string& text) { told_.push_back(text); });
  }
  static std::string viewed(Store& store, const std::string& key) {
    const auto object = store.view(key);
    return object ? std::string(as_text(object->bytes())) : std::string(name_of(object.error().code));
  }

  MemoryStore memory_;
  CountingStore far_{memory_};
  MemoryStore copies_;
  std::vector<std::string> told_;
};

TEST_F(ViewCacheTest, WhatWasViewedOrPutIsNotAskedForAgain) {
  ASSERT_TRUE(put(memory_, key_of("table"), as_bytes("table")));
  ViewCache cache = opened();
  EXPECT_EQ(viewed(cache, key_of("table")), "table");
  ASSERT_TRUE(put(cache, key_of("mine"), as_bytes("mine")));
  ViewCache later = opened();
  EXPECT_EQ(viewed(later, key_of("table")), "table");
  EXPECT_EQ(viewed(later, key_of("mine")), "mine");
  EXPECT_EQ(far_.counts().views, 1u);
  EXPECT_TRUE(told_.empty());
}

TEST_F(ViewCacheTest, ADamagedCopyIsMadeAnew) {
  ASSERT_TRUE(put(memory_, key_of("table"), as_bytes("table")));
  ASSERT_TRUE(put(copies_, key_of("table"), as_bytes("tabel")));
  ViewCache cache = opened();
  EXPECT_EQ(viewed(cache, key_of("table")), "table");
  EXPECT_EQ(viewed(copies_, key_of("table")), "table");
}

TEST_F(ViewCacheTest, DamageInTheStoreIsShownAndNotKept) {
  ASSERT_TRUE(put(memory_, key_of("table"), as_bytes("tabel")));
  ViewCache cache = opened();
  EXPECT_EQ(viewed(cache, key_of("table")), "tabel");
  EXPECT_EQ(viewed(copies_, key_of("table")), "not found");
}

TEST_F(ViewCacheTest, WhatIsNotListedAnyMoreIsForgotten) {
  ViewCache cache = opened();
  for (const char* text : {"one", "two"}) ASSERT_TRUE(put(cache, key_of(text), as_bytes(text)));
  ASSERT_TRUE(memory_.remove(key_of("one")));  // by another machine
  const auto pass_over = [](const ObjectInfo&) -> Result<void> { return {}; };
  ASSERT_TRUE(cache.list("", pass_over));
  EXPECT_EQ(viewed(copies_, key_of("one")), "one") << "that was another list";
  ASSERT_TRUE(cache.list("index/", pass_over));
  EXPECT_EQ(viewed(copies_, key_of("one")), "not found");
  EXPECT_EQ(viewed(copies_, key_of("two")), "two");
  ASSERT_TRUE(cache.remove(key_of("two")));
  EXPECT_EQ(viewed(copies_, key_of("two")), "not found");
}

TEST_F(ViewCacheTest, NothingElseIsCopied) {
  ViewCache cache = opened();
  for (const std::string& key : {"pack/" + Sha256::of(as_bytes("x")).hex(), std::string("index/notes")}) {
    ASSERT_TRUE(put(cache, key, as_bytes("x")));
    EXPECT_EQ(viewed(cache, key), "x");
    EXPECT_EQ(viewed(copies_, key), "not found");
  }
}

TEST_F(ViewCacheTest, ThatCopiesCannotBeKeptIsToldOnce) {
  FaultStore full(copies_, [](Call call, std::string_view, std::uint64_t) {
    return call == Call::put ? std::optional(Fault{.error = {Code::exhausted, "the disk is full"}}) : std::nullopt;
  });
  ViewCache cache(far_, full, "index/", [this](const std::string& text) { told_.push_back(text); });
  for (const char* text : {"one", "two"}) {
    ASSERT_TRUE(put(cache, key_of(text), as_bytes(text)));
    EXPECT_EQ(viewed(cache, key_of(text)), text);
  }
  EXPECT_THAT(told_, testing::ElementsAre(testing::HasSubstr("the disk is full")));
}

}  // namespace
}  // namespace studio::blob
