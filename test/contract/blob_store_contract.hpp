// What every blob::Store must do. A backend's test instantiates it:
//
//   struct MyBackend {
//     blob::Store& store();    // empty at first, the same one each time
//     blob::Store& another();  // the same objects, as another process would open them; may be store() itself
//   };
//   INSTANTIATE_TYPED_TEST_SUITE_P(Mine, BlobStoreContract, MyBackend);
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "base/concat.hpp"
#include "blob/store.hpp"
#include "contract/contract.hpp"

namespace studio::blob {

using test::expect_code;
using test::in_threads;

template <class Backend>
class BlobStoreContract : public testing::Test {
 protected:
  Store& store() { return backend_.store(); }
  Store& another() { return backend_.another(); }

  std::string put_text(const std::string& key, const std::string& text, Condition condition = {}) {
    const auto etag = put(store(), key, as_bytes(text), std::move(condition));
    EXPECT_TRUE(etag.has_value()) << key << ": " << etag.error().message;
    return etag.value_or("");
  }

  std::string text_of(const std::string& key, Range range = {}) {
    const auto bytes = another().get(key, range);
    EXPECT_TRUE(bytes.has_value()) << key << ": " << bytes.error().message;
    if (!bytes) return {};
    // Into a buffer that is too large, if the range is.
    Bytes buffer(std::min<std::uint64_t>(range.length, bytes->size() + 1));
    for (const ReadFrom from : {ReadFrom::anywhere, ReadFrom::medium}) {
      const auto size = another().get_into(key, range.offset, buffer, from);
      EXPECT_TRUE(size.has_value()) << key << ": " << size.error().message;
      EXPECT_EQ(to_text(ByteView(buffer).first(size.value_or(0))), to_text(*bytes));
    }
    return to_text(*bytes);
  }

  ObjectView view_of(const std::string& key) {
    auto view = another().view(key);
    EXPECT_TRUE(view.has_value()) << key << ": " << view.error().message;
    return view ? std::move(*view) : ObjectView(Bytes());
  }

  std::vector<std::string> keys(const std::string& prefix) {
    std::vector<std::string> found;
    const auto listed = another().list(prefix, [&](const ObjectInfo& info) -> Result<void> {
      found.push_back(info.key);
      return {};
    });
    EXPECT_TRUE(listed.has_value()) << listed.error().message;
    return found;
  }

  Backend backend_;
};

TYPED_TEST_SUITE_P(BlobStoreContract);

TYPED_TEST_P(BlobStoreContract, GivesBackWhatWasPut) {
  const std::string bytes("\0\xff\n bytes", 9);
  const std::string etag = this->put_text("packs/ab/0123.pack", bytes);
  EXPECT_EQ(this->text_of("packs/ab/0123.pack"), bytes);
  const auto info = this->another().stat("packs/ab/0123.pack");
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->key, "packs/ab/0123.pack");
  EXPECT_EQ(info->size, 9u);
  EXPECT_EQ(info->etag, etag);
  const auto age = SystemClock().now() - info->modified;
  EXPECT_LT(age, std::chrono::hours(1));
  EXPECT_GT(age, std::chrono::hours(-1));
}

TYPED_TEST_P(BlobStoreContract, JoinsTheParts) {
  const std::vector<ByteView> parts{as_bytes("one "), as_bytes(""), as_bytes("two")};
  ASSERT_TRUE(this->store().put("parts", parts, {}).has_value());
  EXPECT_EQ(this->text_of("parts"), "one two");
  ASSERT_TRUE(this->store().put("none", {}, {}).has_value());
  EXPECT_EQ(this->text_of("none"), "");
  EXPECT_EQ(this->another().stat("none")->size, 0u);
}

TYPED_TEST_P(BlobStoreContract, KeepsLargeObjects) {
  std::string bytes(20 << 20, '\0');
  for (std::size_t i = 0; i < bytes.size(); i += 97) bytes[i] = static_cast<char>(i * 2654435761u >> 24);
  this->put_text("large", bytes);
  EXPECT_TRUE(this->text_of("large") == bytes);
  EXPECT_EQ(this->text_of("large", {bytes.size() - 5, 3}), bytes.substr(bytes.size() - 5, 3));
}

TYPED_TEST_P(BlobStoreContract, CutsRangesAtTheEnd) {
  this->put_text("r", "0123456789");
  EXPECT_EQ(this->text_of("r", {0, 4}), "0123");
  EXPECT_EQ(this->text_of("r", {4, 2}), "45");
  EXPECT_EQ(this->text_of("r", {8, 100}), "89");
  EXPECT_EQ(this->text_of("r", {8}), "89");
  EXPECT_EQ(this->text_of("r", {3, 0}), "");
  EXPECT_EQ(this->text_of("r", {10}), "");
  EXPECT_EQ(this->text_of("r", {1, UINT64_MAX}), "123456789");
  expect_code(this->store().get("r", {11}), Code::invalid);
  expect_code(this->store().get_into("r", 11, {}), Code::invalid);
  expect_code(this->store().get("r", {UINT64_MAX, 1}), Code::invalid);
}

TYPED_TEST_P(BlobStoreContract, ShowsTheWholeObject) {
  std::string bytes(1 << 20, 'a');
  bytes.back() = 'z';
  this->put_text("d/large", bytes);
  this->put_text("empty", "");
  EXPECT_TRUE(as_text(this->view_of("d/large").bytes()) == bytes);
  EXPECT_EQ(this->view_of("empty").bytes().size(), 0u);
  ObjectView moved = this->view_of("d/large");
  moved = this->view_of("empty");
  EXPECT_EQ(moved.bytes().size(), 0u);
  const ObjectView from(this->view_of("d/large"));
  EXPECT_TRUE(as_text(from.bytes()) == bytes);
}

TYPED_TEST_P(BlobStoreContract, KeepsShowingWhatWasReplacedOrRemoved) {
  this->put_text("k", "one");
  const ObjectView view = this->view_of("k");
  this->put_text("k", "other");
  EXPECT_EQ(as_text(view.bytes()), "one");
  EXPECT_EQ(as_text(this->view_of("k").bytes()), "other");
  ASSERT_TRUE(this->store().remove("k").has_value());
  EXPECT_EQ(as_text(view.bytes()), "one");
}

TYPED_TEST_P(BlobStoreContract, TellsWhatIsNotThere) {
  this->put_text("a/b/c", "x");
  for (const char* key : {"none", "a", "a/b", "a/b/d", "a/b/c/d"}) {
    expect_code(this->store().stat(key), Code::not_found);
    expect_code(this->store().get(key, {}), Code::not_found);
    expect_code(this->store().view(key), Code::not_found);
    EXPECT_TRUE(this->store().remove(key).has_value()) << key;
  }
  EXPECT_EQ(this->text_of("a/b/c"), "x");
}

TYPED_TEST_P(BlobStoreContract, ReplacesAndChangesTheEtag) {
  const std::string first = this->put_text("k", "one");
  const std::string second = this->put_text("k", "two");
  EXPECT_NE(first, second);
  EXPECT_EQ(this->text_of("k"), "two");
  EXPECT_EQ(this->another().stat("k")->etag, second);
}

TYPED_TEST_P(BlobStoreContract, NeverRepeatsAnEtag) {
  std::vector<std::string> etags;
  for (int i = 0; i < 200; ++i) etags.push_back(this->put_text("k", concat(i % 10)));
  std::sort(etags.begin(), etags.end());
  EXPECT_EQ(std::unique(etags.begin(), etags.end()), etags.end());
}

TYPED_TEST_P(BlobStoreContract, IfAbsentKeepsWhatIsThere) {
  this->put_text("k", "one", Condition::if_absent());
  expect_code(put(this->another(), "k", as_bytes("two"), Condition::if_absent()), Code::already_exists);
  EXPECT_EQ(this->text_of("k"), "one");
  ASSERT_TRUE(this->store().remove("k").has_value());
  this->put_text("k", "three", Condition::if_absent());
  EXPECT_EQ(this->text_of("k"), "three");
}

TYPED_TEST_P(BlobStoreContract, IfMatchReplacesOnlyWhatWasSeen) {
  const std::string first = this->put_text("k", "one");
  const std::string second = this->put_text("k", "two", Condition::if_match(first));
  expect_code(put(this->another(), "k", as_bytes("late"), Condition::if_match(first)), Code::conflict);
  expect_code(put(this->another(), "other", as_bytes("x"), Condition::if_match(second)), Code::conflict);
  expect_code(put(this->another(), "new/x", as_bytes("x"), Condition::if_match("")), Code::conflict);
  EXPECT_EQ(this->text_of("k"), "two");
  ASSERT_TRUE(this->store().remove("k").has_value());
  expect_code(put(this->another(), "k", as_bytes("late"), Condition::if_match(second)), Code::conflict);
  EXPECT_THAT(this->keys(""), testing::IsEmpty());
}

TYPED_TEST_P(BlobStoreContract, RemovesForGood) {
  this->put_text("d/k", "one");
  ASSERT_TRUE(this->store().remove("d/k").has_value());
  ASSERT_TRUE(this->store().remove("d/k").has_value()) << "a second time";
  expect_code(this->another().get("d/k", {}), Code::not_found);
  EXPECT_THAT(this->keys(""), testing::IsEmpty());
  this->put_text("d", "what was a directory may be an object");
  EXPECT_EQ(this->keys(""), std::vector<std::string>{"d"});
}

TYPED_TEST_P(BlobStoreContract, RefusesBadKeys) {
  this->put_text("good", "x");
  const std::string long_component(256, 'a');
  const std::string long_key = std::string(200, 'a') + "/" + std::string(200, 'b') + "/" + std::string(111, 'c');
  for (const std::string& key : {std::string(),
                                 std::string("/"),
                                 std::string("/etc/passwd"),
                                 std::string("a/"),
                                 std::string("a//b"),
                                 std::string("."),
                                 std::string(".."),
                                 std::string("../x"),
                                 std::string("a/../b"),
                                 std::string("a/./b"),
                                 std::string("a/.."),
                                 std::string(".hidden"),
                                 std::string(".staging/x"),
                                 std::string("a b"),
                                 std::string("a\\b"),
                                 std::string("a%2e"),
                                 std::string("k\xc3\xa9"),
                                 std::string("a\n"),
                                 std::string("good\0", 5),
                                 std::string("good\0/x", 7),
                                 std::string("a:b"),
                                 std::string("~"),
                                 long_component,
                                 "d/" + long_component,
                                 long_key}) {
    EXPECT_FALSE(valid_key(key)) << key;
    expect_code(this->store().stat(key), Code::invalid);
    expect_code(this->store().get(key, {}), Code::invalid);
    expect_code(this->store().view(key), Code::invalid);
    expect_code(put(this->store(), key, as_bytes("x")), Code::invalid);
    expect_code(put(this->store(), key, as_bytes("x"), Condition::if_absent()), Code::invalid);
    expect_code(this->store().remove(key), Code::invalid);
  }
  EXPECT_EQ(this->keys(""), std::vector<std::string>{"good"});
}

TYPED_TEST_P(BlobStoreContract, TakesEveryGoodKey) {
  const std::string longest = std::string(255, 'a') + "/" + std::string(254, 'b') + "/c";
  ASSERT_EQ(longest.size(), 512u);
  for (const std::string& key : {std::string("b"), std::string("0"), std::string("_"), std::string("-"),
                                 std::string("a/.b"), std::string("a/..."), std::string("A-Z.a_z/0-9"), longest}) {
    this->put_text(key, key);
    EXPECT_EQ(this->text_of(key), key);
  }
  const std::string deep = [] {
    std::string key = "z";
    while (key.size() + 2 <= 512) key += "/z";
    return key;
  }();
  this->put_text(deep, "deep");
  EXPECT_EQ(this->keys("z/"), std::vector<std::string>{deep});
}

TYPED_TEST_P(BlobStoreContract, LetsNoObjectBeADirectory) {
  this->put_text("a/b", "x");
  this->put_text("k", "x");
  for (const Condition& condition : {Condition::none(), Condition::if_absent()}) {
    expect_code(put(this->store(), "a", as_bytes("y"), condition), Code::invalid);
    expect_code(put(this->store(), "k/l", as_bytes("y"), condition), Code::invalid);
    expect_code(put(this->store(), "a/b/c/d", as_bytes("y"), condition), Code::invalid);
  }
  EXPECT_EQ(this->keys(""), (std::vector<std::string>{"a/b", "k"}));
}

TYPED_TEST_P(BlobStoreContract, ListsInByteOrder) {
  // '-' and '.' sort before '/', digits and letters after it.
  const std::vector<std::string> all{"A",   "a-b", "a.b",   "a/-",   "a/b/c", "a/b0",
                                     "a/c", "a0",  "a_b/x", "b/0/1", "b/0/2", "c"};
  for (auto key = all.rbegin(); key != all.rend(); ++key) this->put_text(*key, *key);
  EXPECT_EQ(this->keys(""), all);
}

TYPED_TEST_P(BlobStoreContract, ListsByAnyPrefix) {
  for (const char* key : {"experiments/e1/a/v0", "experiments/e1/a/v1", "experiments/e10/a/v0", "index/1", "packs/ab/1",
                          "packs/ac/2", "studio.json"})
    this->put_text(key, key);
  const auto expect = [&](const std::string& prefix, const std::vector<std::string>& wanted) {
    EXPECT_EQ(this->keys(prefix), wanted) << prefix;
  };
  expect("experiments/e1/", {"experiments/e1/a/v0", "experiments/e1/a/v1"});
  expect("experiments/e1", {"experiments/e1/a/v0", "experiments/e1/a/v1", "experiments/e10/a/v0"});
  expect("experiments/e1/a/v1", {"experiments/e1/a/v1"});
  expect("packs/a", {"packs/ab/1", "packs/ac/2"});
  expect("p", {"packs/ab/1", "packs/ac/2"});
  expect("studio.json", {"studio.json"});
  for (const char* none : {"studio.json/", "q", "packs/ab/1/", "packs//", "/", "..", "../", "./", ".staging/",
                           "packs/../", "packs/a\\", "\xff", "packs/ab/1x"})
    expect(none, {});
  expect(std::string(1000, 'p'), {});
}

TYPED_TEST_P(BlobStoreContract, ListsWhatStatTells) {
  this->put_text("d/one", "1");
  this->put_text("d/three", "123");
  int seen = 0;
  const auto listed = this->another().list("d/", [&](const ObjectInfo& info) -> Result<void> {
    ++seen;
    const auto stat = this->store().stat(info.key);
    EXPECT_TRUE(stat.has_value());
    EXPECT_EQ(info.size, stat->size);
    EXPECT_EQ(info.etag, stat->etag);
    EXPECT_EQ(info.modified, stat->modified);
    return {};
  });
  EXPECT_TRUE(listed.has_value());
  EXPECT_EQ(seen, 2);
}

TYPED_TEST_P(BlobStoreContract, StopsListingAtAnError) {
  for (const char* key : {"a/1", "a/2", "b/3"}) this->put_text(key, "x");
  int seen = 0;
  const auto listed = this->store().list("", [&](const ObjectInfo&) -> Result<void> {
    if (++seen == 2) return Error{Code::cancelled, "enough"};
    return {};
  });
  expect_code(listed, Code::cancelled);
  EXPECT_EQ(seen, 2);
}

TYPED_TEST_P(BlobStoreContract, LetsAVisitorChangeTheStore) {
  for (int i = 0; i < 20; ++i) this->put_text(concat("old/", i), "x");
  const auto listed = this->store().list("old/", [&](const ObjectInfo& info) -> Result<void> {
    TRY(put(this->store(), "new/" + info.key, as_bytes("y")));
    return this->store().remove(info.key);
  });
  ASSERT_TRUE(listed.has_value()) << listed.error().message;
  EXPECT_THAT(this->keys("old/"), testing::IsEmpty());
  EXPECT_EQ(this->keys("new/").size(), 20u);
}

TYPED_TEST_P(BlobStoreContract, OneOfManyWinsIfAbsent) {
  constexpr int k_threads = 8;
  for (int round = 0; round < 20; ++round) {
    const std::string key = concat("race/", round, "/k");
    std::atomic<int> winners{0};
    std::atomic<int> winner{-1};
    in_threads(k_threads, [&](int i) {
      Store& mine = i % 2 == 0 ? this->store() : this->another();
      const std::string text(1000, static_cast<char>('a' + i));
      const auto etag = put(mine, key, as_bytes(text), Condition::if_absent());
      if (etag) {
        ++winners;
        winner = i;
      } else {
        EXPECT_EQ(etag.error().code, Code::already_exists) << etag.error().message;
        EXPECT_TRUE(mine.get(key).has_value()) << "what exists can be read";
      }
    });
    ASSERT_EQ(winners, 1);
    EXPECT_EQ(this->text_of(key), std::string(1000, static_cast<char>('a' + winner)));
  }
}

TYPED_TEST_P(BlobStoreContract, CompareAndSetLosesNoUpdate) {
  constexpr int k_threads = 4;
  constexpr int k_increments = 25;
  this->put_text("counter", "1000");
  in_threads(k_threads, [&](int i) {
    Store& mine = i % 2 == 0 ? this->store() : this->another();
    for (int done = 0; done < k_increments;) {
      const auto info = mine.stat("counter");
      const auto bytes = mine.get("counter");
      ASSERT_TRUE(info.has_value() && bytes.has_value());
      const std::string next = concat(std::stoi(to_text(*bytes)) + 1);
      const auto etag = put(mine, "counter", as_bytes(next), Condition::if_match(info->etag));
      if (etag)
        ++done;
      else
        ASSERT_EQ(etag.error().code, Code::conflict) << etag.error().message;
    }
  });
  EXPECT_EQ(this->text_of("counter"), concat(1000 + k_threads * k_increments));
}

TYPED_TEST_P(BlobStoreContract, ReadersSeeOneContentWhole) {
  constexpr int k_replacements = 60;
  const auto content = [](int i) {
    return std::string(10'000 + static_cast<std::size_t>(i) * 997, static_cast<char>('a' + i % 26));
  };
  this->put_text("head", content(0));
  std::atomic<bool> stop{false};
  in_threads(4, [&](int i) {
    if (i == 0) {
      for (int round = 1; round <= k_replacements; ++round)
        EXPECT_TRUE(put(this->store(), "head", as_bytes(content(round))).has_value());  // stop the others in any case
      stop = true;
      return;
    }
    while (!stop) {
      const auto bytes = this->another().get("head");
      ASSERT_TRUE(bytes.has_value()) << bytes.error().message;
      ASSERT_FALSE(bytes->empty());
      const auto text = as_text(*bytes);
      ASSERT_EQ(text.find_first_not_of(text[0]), std::string_view::npos) << "a mix of two contents";
      ASSERT_EQ((text.size() - 10'000) % 997, 0u) << "a torn content";
    }
  });
  EXPECT_EQ(this->text_of("head"), content(k_replacements));
}

TYPED_TEST_P(BlobStoreContract, PutsAndRemovesInOneDirectoryDoNotDisturbEachOther) {
  in_threads(4, [&](int i) {
    Store& mine = i % 2 == 0 ? this->store() : this->another();
    const std::string key = concat("busy/dir/", i);
    for (int round = 0; round < 30; ++round) {
      const auto etag = put(mine, key, as_bytes(concat(round)), Condition::if_absent());
      ASSERT_TRUE(etag.has_value()) << etag.error().message;
      const auto bytes = mine.get(key);
      ASSERT_TRUE(bytes.has_value()) << bytes.error().message;
      ASSERT_EQ(as_text(*bytes), concat(round));
      ASSERT_TRUE(mine.list("busy/", [](const ObjectInfo&) -> Result<void> { return {}; }).has_value());
      ASSERT_TRUE(mine.remove(key).has_value());
    }
  });
  EXPECT_THAT(this->keys(""), testing::IsEmpty());
}

REGISTER_TYPED_TEST_SUITE_P(BlobStoreContract, GivesBackWhatWasPut, JoinsTheParts, KeepsLargeObjects,
                            CutsRangesAtTheEnd, ShowsTheWholeObject, KeepsShowingWhatWasReplacedOrRemoved,
                            TellsWhatIsNotThere, ReplacesAndChangesTheEtag, NeverRepeatsAnEtag,
                            IfAbsentKeepsWhatIsThere, IfMatchReplacesOnlyWhatWasSeen, RemovesForGood, RefusesBadKeys,
                            TakesEveryGoodKey, LetsNoObjectBeADirectory, ListsInByteOrder, ListsByAnyPrefix,
                            ListsWhatStatTells, StopsListingAtAnError, LetsAVisitorChangeTheStore,
                            OneOfManyWinsIfAbsent, CompareAndSetLosesNoUpdate, ReadersSeeOneContentWhole,
                            PutsAndRemovesInOneDirectoryDoNotDisturbEachOther);

}  // namespace studio::blob
