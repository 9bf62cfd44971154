// What the engine's tests work with: a home in a temporary directory, store and catalog in memory.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <mutex>
#include <string>
#include <vector>

#include "blob/memory.hpp"
#include "catalog/memory.hpp"
#include "contract/scratch_directory.hpp"
#include "engine/lost_run.hpp"
#include "engine/services.hpp"
#include "os/fd.hpp"
#include "os/file_lock.hpp"
#include "os/paths.hpp"

namespace studio::engine {

class EngineTest : public testing::Test {
 protected:
  EngineTest() {
    auto opened = content::Repository::open(store_, clock_, {.cache_directory = home_.stat_caches()});
    EXPECT_TRUE(opened.has_value());
    repository_ = std::move(*opened);
  }

  Services services() { return {home_, clock_, catalog_, *repository_, report_}; }

  // An experiment whose last attempt is live on this machine, by its record; nobody holds its lock.
  model::Experiment make_experiment(const std::string& key, std::vector<model::Artifact> artifacts = {}) {
    model::Attempt attempt{.state = model::State::running,
                           .started = clock_.now(),
                           .process = {.host = this_host(), .studio_pid = 1},
                           .artifacts = std::move(artifacts)};
    model::Experiment experiment{.key = key, .project = "p", .owner = "o", .created = clock_.now(), .attempt = attempt};
    EXPECT_TRUE(catalog_.create(experiment).has_value());
    EXPECT_TRUE(os::FileLock::try_acquire(home_.run_lock(key)).has_value());
    return catalog_.load(key).value();
  }

  void begin_attempt(const std::string& key) {
    const auto changed = catalog::redo_update(catalog_, key, [](model::Experiment& experiment) -> Result<void> {
      ++experiment.attempt.number;
      return {};
    });
    ASSERT_TRUE(changed.has_value());
  }

  std::string path(const std::string& name) const { return concat(directory_.path(), "/", name); }

  void write(const std::string& name, const std::string& text) {
    ASSERT_TRUE(os::make_directories(os::parent_of(path(name))).has_value());
    std::ofstream(path(name), std::ios::binary) << text;
  }

  std::ptrdiff_t times_told(const std::string& part) {
    const std::lock_guard lock(mutex_);
    return std::count_if(messages_.begin(), messages_.end(),
                         [&](const std::string& message) { return message.find(part) != std::string::npos; });
  }
  bool was_told(const std::string& part) { return times_told(part) > 0; }

  test::ScratchDirectory directory_;
  Home home_{concat(directory_.path(), "/home")};
  SystemClock clock_;
  blob::MemoryStore store_;
  catalog::MemoryCatalog catalog_;
  std::unique_ptr<content::Repository> repository_;
  std::mutex mutex_;
  std::vector<std::string> messages_;
  Reporter report_ = [this](Severity, const std::string& message) {
    const std::lock_guard lock(mutex_);
    messages_.push_back(message);
  };
};

}  // namespace studio::engine
