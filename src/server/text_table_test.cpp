#include "server/text_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/letters.hpp"

namespace studio::server {
namespace {

using testing::ElementsAre;

TEST(TextTable, KnowsEachTextByOneNumber) {
  TextTable table;
  EXPECT_EQ(table.find("a"), std::nullopt);
  EXPECT_EQ(table.add("a"), 0u);
  EXPECT_EQ(table.add("A"), 1u);
  EXPECT_EQ(table.add(""), 2u);
  EXPECT_EQ(table.add("a"), 0u);
  EXPECT_EQ(table.size(), 3u);
  EXPECT_EQ(table.find("A"), 1u);
  EXPECT_EQ(table.find("b"), std::nullopt);
  for (int i = 0; i < 1000; ++i) table.add(std::to_string(i));
  EXPECT_EQ(table[1], "A");
  EXPECT_EQ(table[2], "");
  EXPECT_EQ(table[table.find("999").value()], "999");
  EXPECT_EQ(table.find("1000"), std::nullopt);
}

TEST(TextTable, FindsAWordWithinATextOnly) {
  TextTable table;
  for (const char* text : {"Train.py", "", "py", "PYtrain", "t"}) table.add(text);
  EXPECT_THAT(table.containing("train"), ElementsAre(true, false, false, true, false));
  EXPECT_THAT(table.containing("py"), ElementsAre(true, false, true, true, false));
  EXPECT_THAT(table.containing("pyt"), ElementsAre(false, false, false, true, false)) << "not where two texts meet";
  EXPECT_THAT(table.containing("t"), ElementsAre(true, false, false, true, true));
  EXPECT_THAT(TextTable().containing("t"), ElementsAre());
}

TEST(TextTable, FindsWhatALoopFinds) {
  std::mt19937 random(7);
  const auto text = [&](unsigned most) {
    std::string letters(random() % (most + 1), ' ');
    for (char& c : letters) c = "aAbB"[random() % 4];
    return letters;
  };
  TextTable table;
  for (int i = 0; i < 300; ++i) table.add(text(12));
  for (int i = 0; i < 200; ++i) {
    const std::string word = "a" + lower(text(4));
    const std::vector<bool> found = table.containing(word);
    for (TextTable::Id id = 0; id < table.size(); ++id)
      ASSERT_EQ(found[id], lower(table[id]).find(word) != std::string::npos) << word << " in " << table[id];
  }
}

}  // namespace
}  // namespace studio::server
