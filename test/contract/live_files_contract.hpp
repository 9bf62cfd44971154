// What every blob::LiveFiles must do. A backend's test instantiates it:
//
//   struct MyBackend {
//     blob::LiveFiles& files();                         // attempt 0 of "exp" runs
//     std::string shown(const blob::LiveFile& file);    // what who looks on sees; "(none)" if there is none
//   };
//   INSTANTIATE_TYPED_TEST_SUITE_P(Mine, LiveFilesContract, MyBackend);
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "base/concat.hpp"
#include "blob/live_files.hpp"
#include "contract/contract.hpp"

namespace studio::blob {

using test::expect_code;
using test::in_threads;

template <class Backend>
class LiveFilesContract : public testing::Test {
 protected:
  LiveFiles& files() { return backend_.files(); }
  static LiveFile named(const std::string& file) { return {"exp", 0, file}; }
  std::string shown(const std::string& file) { return backend_.shown(named(file)); }

  std::uint64_t append(const std::string& file, std::uint64_t offset, const std::string& text) {
    const auto size = files().append(named(file), offset, as_bytes(text));
    EXPECT_TRUE(size.has_value()) << file << ": " << size.error().message;
    return size.value_or(~std::uint64_t{0});
  }

 private:
  Backend backend_;
};
TYPED_TEST_SUITE_P(LiveFilesContract);

TYPED_TEST_P(LiveFilesContract, AddsWhatIsNew) {
  EXPECT_EQ(this->shown("output"), "(none)");
  EXPECT_EQ(this->append("output", 0, ""), 0u);
  EXPECT_EQ(this->shown("output"), "");
  EXPECT_EQ(this->append("output", 0, "one\n"), 4u);
  EXPECT_EQ(this->append("output", 4, std::string("\0\xff", 2)), 6u);
  EXPECT_EQ(this->shown("output"), std::string("one\n\0\xff", 6));
}

TYPED_TEST_P(LiveFilesContract, TakesAgainWhatItHas) {
  this->append("output", 0, "one\n");
  EXPECT_EQ(this->append("output", 0, "one\n"), 4u);
  EXPECT_EQ(this->append("output", 2, "e\ntwo"), 7u);
  EXPECT_EQ(this->append("output", 1, "n"), 7u);
  EXPECT_EQ(this->shown("output"), "one\ntwo");
}

TYPED_TEST_P(LiveFilesContract, LeavesNoHole) {
  EXPECT_EQ(this->append("output", 4, "two"), 0u);
  this->append("output", 0, "on");
  EXPECT_EQ(this->append("output", 4, "two"), 2u);
  EXPECT_EQ(this->shown("output"), "on");
}

TYPED_TEST_P(LiveFilesContract, Replaces) {
  ASSERT_TRUE(this->files().replace(this->named("resources.json"), as_bytes("longer")));
  ASSERT_TRUE(this->files().replace(this->named("resources.json"), as_bytes("new")));
  EXPECT_EQ(this->shown("resources.json"), "new");
}

TYPED_TEST_P(LiveFilesContract, TakesAnyNameBelowTheAttempt) {
  for (const std::string name : {"tb/a/b", "tb/täg 1/%2F&offset=9", "tb/a\nb", "tb/..."}) {
    EXPECT_EQ(this->append(name, 0, name), name.size());
    EXPECT_EQ(this->shown(name), name);
  }
  for (const std::string name : {"", "/", "/etc/x", "..", "tb/../../x", "tb//x", "tb/", "."}) {
    expect_code(this->files().append(this->named(name), 0, as_bytes("x")), Code::invalid);
    expect_code(this->files().replace(this->named(name), as_bytes("x")), Code::invalid);
  }
  expect_code(this->files().append(this->named(std::string(1025, 'x')), 0, as_bytes("x")), Code::invalid);
}

TYPED_TEST_P(LiveFilesContract, CallsAtATimeRepeatNothing) {
  const std::string text(1000, 'x');
  in_threads(4, [&](int) {
    for (std::uint64_t at = 0; at < 20; ++at) {
      const auto size = this->files().append(this->named("output"), at * 50, as_bytes(text).subspan(at * 50, 50));
      ASSERT_TRUE(size.has_value()) << size.error().message;
    }
  });
  EXPECT_EQ(this->shown("output"), text);
}

REGISTER_TYPED_TEST_SUITE_P(LiveFilesContract, AddsWhatIsNew, TakesAgainWhatItHas, LeavesNoHole, Replaces,
                            TakesAnyNameBelowTheAttempt, CallsAtATimeRepeatNothing);

}  // namespace studio::blob
