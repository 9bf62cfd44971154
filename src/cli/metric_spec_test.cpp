#include "cli/metric_spec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace studio::cli {
namespace {

using model::Metric;
using model::MetricGoal;
using testing::HasSubstr;

TEST(MetricSpecTest, NamesAScalarAndWhichOfItsValuesCounts) {
  EXPECT_EQ(parse_metric("val_loss:min").value(), (Metric{"val_loss", MetricGoal::min, {}}));
  EXPECT_EQ(parse_metric("acc:max").value(), (Metric{"acc", MetricGoal::max, {}}));
  EXPECT_EQ(parse_metric("acc").value(), (Metric{"acc", MetricGoal::last, {}}));
  EXPECT_EQ(parse_metric("eval/top 1:last").value(), (Metric{"eval/top 1", MetricGoal::last, {}}));
  EXPECT_EQ(parse_metric("a:b").value(), (Metric{"a:b", MetricGoal::last, {}})) << "a name may have a colon";
  EXPECT_EQ(parse_metric("a:b:max").value(), (Metric{"a:b", MetricGoal::max, {}}));
}

TEST(MetricSpecTest, RefusesWhatNamesNothing) {
  for (const char* value : {"", ":min", "loss:", "loss::min", "\xff:min"}) {
    const auto metric = parse_metric(value);
    ASSERT_FALSE(metric.has_value()) << value;
    EXPECT_THAT(metric.error().message, HasSubstr("--metric="));
    EXPECT_THAT(metric.error().hint, HasSubstr("val_loss:min"));
  }
  EXPECT_TRUE(check_metrics({{"a", MetricGoal::min, {}}, {"b", MetricGoal::min, {}}}).has_value());
  EXPECT_FALSE(check_metrics({{"a", MetricGoal::min, {}}, {"a", MetricGoal::max, {}}}).has_value());
}

}  // namespace
}  // namespace studio::cli
