#include "server/storage_meter.hpp"

#include <gtest/gtest.h>

#include "blob/counting.hpp"
#include "catalog/memory.hpp"
#include "content/content_testing.hpp"
#include "contract/contract.hpp"

namespace studio::server {
namespace {

using content::Lab;
using content::must;

class StorageMeterTest : public testing::Test {
 protected:
  StorageMeterTest() {
    write("one");
    lab_.keep(path_, 0);
    must(catalog_.create({.key = "e", .project = "p", .owner = "o", .created = lab_.clock.now()}));
  }

  void write(const std::string& text) const { lab_.scratch.write("file", text); }
  content::StoreStats measured() { return *must(meter_.measure()); }
  // How many manifests were read for an answer.
  std::uint64_t gets() {
    store_.reset();
    measured();
    return store_.counts().gets;
  }

  Lab lab_;
  const std::string path_ = lab_.scratch / "file";
  blob::CountingStore store_{lab_.objects};
  catalog::MemoryCatalog catalog_;
  ExperimentIndex experiments_{catalog_};
  StorageMeter meter_{*(lab_.open(store_), lab_.repository), experiments_};
};

TEST_F(StorageMeterTest, ReadsVersionsOnce) {
  EXPECT_EQ(gets(), 1u);
  EXPECT_EQ(gets(), 0u);
  EXPECT_EQ(measured().versions, 1u);
}

TEST_F(StorageMeterTest, SeesWhatIsNew) {
  const std::uint64_t chunks = measured().chunks;
  write("two");
  model::Version second = lab_.keep(path_, 1);
  EXPECT_EQ(measured().versions, 2u);
  EXPECT_GT(measured().chunks, chunks);
  // A version of what was there before: nothing tells of it until its run has ended.
  second.number = 2;
  must(lab_.repository->publish(second));
  must(catalog::redo_update(catalog_, "e", [](model::Experiment& experiment) -> Result<void> {
    experiment.attempt.state = model::State::finished;
    return {};
  }));
  EXPECT_EQ(measured().versions, 3u);
  EXPECT_EQ(gets(), 0u);
}

TEST_F(StorageMeterTest, KeepsNoError) {
  const std::string manifest = content::manifest_key("e", "t", 0);
  content::flip(lab_.objects, manifest, 0);
  EXPECT_FALSE(meter_.measure());
  content::flip(lab_.objects, manifest, 0);
  EXPECT_EQ(measured().versions, 1u);
}

TEST_F(StorageMeterTest, WhoAskAtTheSameTimeCostAsMuchAsOne) {
  store_.reset();
  test::in_threads(8, [&](int) { EXPECT_EQ(measured().versions, 1u); });
  EXPECT_EQ(store_.counts().gets, 1u);
}

}  // namespace
}  // namespace studio::server
