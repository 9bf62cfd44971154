#include "view/parameters.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/concat.hpp"

namespace studio::view {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> of(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "train.py");
  std::vector<std::string> found;
  for (const Parameter& parameter : parameters(arguments))
    found.push_back(concat(parameter.name, ": ", parameter.value));
  return found;
}

TEST(Parameters, HaveTheirValueAttachedOrAfterThem) {
  EXPECT_THAT(of({"--lr", "0.1", "--depth=3", "-x", "5", "-j4", "--text", "two words", "--empty=", "--path=a=b"}),
              ElementsAre("lr: 0.1", "depth: 3", "x: 5", "j4: true", "text: two words", "empty: ", "path: a=b"));
  EXPECT_THAT(of({"--next", ""}), ElementsAre("next: "));
}

TEST(Parameters, MayBeNegativeNumbers) {
  EXPECT_THAT(of({"--a", "-1", "--b=-1", "--c", "-.5", "--d", "-1e-3", "-e", "-2"}),
              ElementsAre("a: -1", "b: -1", "c: -.5", "d: -1e-3", "e: -2"));
  EXPECT_THAT(of({"-1", "-.", "-"}), ElementsAre("argument 1: -1", "argument 2: -.", "argument 3: -"));
}

TEST(Parameters, MayBeFlags) {
  EXPECT_THAT(of({"--debug", "--amp", "-v", "--lr", "1", "--last"}),
              ElementsAre("debug: true", "amp: true", "v: true", "lr: 1", "last: true"));
  EXPECT_THAT(of({"--file", "-", "--dots", "-."}), ElementsAre("file: -", "dots: true", "argument 1: -."));
}

TEST(Parameters, MayBeAssignedWithoutDashes) {
  EXPECT_THAT(of({"lr=0.1", "model.depth=3", "+new=1", "++over=2", "model/encoder=big", "db@backup=x", "_a=", "a-b=c"}),
              ElementsAre("lr: 0.1", "model.depth: 3", "new: 1", "over: 2", "model/encoder: big", "db@backup: x",
                          "_a: ", "a-b: c"));
  EXPECT_THAT(of({"=x", "+", "1=2", "http://host/?a=b", "./a=b", "~gone", "a b=c"}),
              ElementsAre("argument 1: =x", "argument 2: +", "argument 3: 1=2", "argument 4: http://host/?a=b",
                          "argument 5: ./a=b", "argument 6: ~gone", "argument 7: a b=c"));
}

TEST(Parameters, AreOtherwiseKnownByTheirPlace) {
  EXPECT_THAT(of({"data.csv", "--lr", "1", "out"}), ElementsAre("argument 1: data.csv", "lr: 1", "argument 2: out"));
  EXPECT_THAT(of({"---x", "--", "--lr", "1", "--", "b=2"}),
              ElementsAre("argument 1: ---x", "argument 2: --lr", "argument 3: 1", "argument 4: --", "b: 2"));
  EXPECT_THAT(of({"--lr", "--", "1"}), ElementsAre("lr: true", "argument 1: 1"));
}

TEST(Parameters, ThatAreGivenAgainHaveAllTheirValues) {
  EXPECT_THAT(of({"--layer", "64", "--lr", "1", "--layer=128", "layer=8"}), ElementsAre("layer: 64, 128, 8", "lr: 1"));
}

TEST(Parameters, MayHaveNamesInAnyScript) {
  EXPECT_THAT(of({"--größe", "3", "größe=4", "-\xff", "1"}), ElementsAre("größe: 3, 4", "\xff: 1"));
}

TEST(Parameters, AreNoneOfTheScriptAlone) {
  EXPECT_THAT(parameters({}), IsEmpty());
  EXPECT_THAT(parameters({"--train=py"}), IsEmpty());
}

TEST(Parameters, AreNotEndless) {
  const auto found = of(std::vector<std::string>(5000, "file"));
  ASSERT_EQ(found.size(), 100u);
  EXPECT_EQ(found.back(), "argument 100: file");
}

}  // namespace
}  // namespace studio::view
