#include "model/experiment.hpp"

#include <gmock/gmock.h>

#include <limits>

#include "model/json_fields.hpp"
#include "model/random_records.hpp"

namespace studio::model {
namespace {

using nlohmann::json;
using testing::HasSubstr;

Result<Experiment> reread(const Experiment& experiment) {
  TRY_ASSIGN(const json parsed, parse_json(to_json(experiment).dump()));
  return experiment_from_json(parsed);
}

Experiment sample() {
  Artifact workspace{"workspace", "/home/u/w", CaptureMode::capture, true, {}, 0, 2};
  Artifact weights{"w", "/cache/w", CaptureMode::reuse, false, ArtifactSource{"base", "weights", 4}, {}, {}};
  Attempt attempt;
  attempt.state = State::killed;
  attempt.failure = "script";
  attempt.exit_code = 1;
  attempt.signal = 9;
  attempt.ended = WallTime(std::chrono::seconds(60));
  attempt.process = {"host", 10, 11, 12};
  attempt.usage = {1.5, 0.25, 1 << 20};
  attempt.artifacts = {workspace, weights};
  attempt.metrics = {{"val_loss", MetricGoal::min, Metric::Value{0.25, -7}}, {"acc", MetricGoal::last, {}}};
  Experiment experiment;
  experiment.key = "mnist";
  experiment.project = "digits";
  experiment.owner = "ada";
  experiment.command = {"train.py", "--rate", "0.1"};
  experiment.directory = "/home/u/w";
  experiment.studio_version = "0.1.0";
  experiment.attempt = attempt;
  experiment.revision = 7;
  return experiment;
}

json with(const char* pointer, const json& value) {
  json changed = to_json(sample());
  changed[json::json_pointer(pointer)] = value;
  return changed;
}

void expect_corrupt(const json& document, const std::string& field) {
  const auto read = experiment_from_json(document);
  ASSERT_FALSE(read.has_value()) << field << " is accepted in " << document;
  EXPECT_EQ(read.error().code, Code::corrupt) << read.error().message;
  EXPECT_THAT(read.error().message, HasSubstr("'" + field + "'"));
}

TEST(StateName, IsReadAsItIsWritten) {
  for (int i = 0; i < 7; ++i) {
    const auto state = static_cast<State>(i);
    EXPECT_FALSE(name_of(state).empty());
    EXPECT_EQ(parse_state(name_of(state)), state);
  }
  EXPECT_EQ(parse_state("Running"), std::nullopt);
  EXPECT_EQ(parse_state(""), std::nullopt);
}

TEST(ExperimentJson, KeepsEveryValue) {
  RandomRecords random(2);
  for (int i = 0; i < 500; ++i) {
    const Experiment experiment = random.experiment();
    const auto read = reread(experiment);
    ASSERT_TRUE(read.has_value()) << read.error().message;
    ASSERT_EQ(*read, experiment) << to_json(experiment);
    ASSERT_EQ(*experiment_from_json(to_json(experiment)), experiment) << "without text in between";
  }
}

TEST(ExperimentJson, KeepsArgumentsThatAreNotUtf8) {
  Experiment experiment = sample();
  experiment.command = {"a", "\xff\xfe", "", std::string("\0", 1)};
  experiment.directory = "/\xc0\xaf";
  EXPECT_EQ(to_json(experiment)["command"][1], (json{{"hex", "fffe"}}));
  EXPECT_EQ(*reread(experiment), experiment);
}

TEST(ExperimentJson, RefusesANewerFormat) {
  const auto read = experiment_from_json(with("/format", 2));
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, Code::unsupported);
}

TEST(ExperimentJson, IgnoresUnknownFields) {
  EXPECT_EQ(*experiment_from_json(with("/attempts/0/artifacts/0/later", 1)), sample());
  EXPECT_EQ(*experiment_from_json(with("/later", json::object())), sample());
}

TEST(ExperimentJson, NamesADeletionOnlyWhereThereIsOne) {
  Experiment experiment = sample();
  EXPECT_FALSE(to_json(experiment).contains("deleted")) << "older records read unchanged";
  experiment.deleted = WallTime(std::chrono::seconds(1'790'000'000));
  EXPECT_EQ(to_json(experiment)["deleted"], "2026-09-21T14:13:20.000000000Z");
  EXPECT_EQ(*reread(experiment), experiment);
  EXPECT_EQ(*experiment_from_json(with("/deleted", nullptr)), sample());
}

TEST(ExperimentJson, NamesTheFieldThatIsMissing) {
  const json document = to_json(sample());
  const auto expect_required = [&](const std::string& parent, const std::string& parent_name,
                                   const std::vector<std::string>& optional) {
    for (const auto& [field, value] : document[json::json_pointer(parent)].items()) {
      json cut = document;
      cut[json::json_pointer(parent)].erase(field);
      if (std::find(optional.begin(), optional.end(), field) == optional.end())
        expect_corrupt(cut, parent_name + field);
      else
        EXPECT_TRUE(experiment_from_json(cut).has_value()) << field;
    }
  };
  expect_required("", "", {});
  expect_required("/attempts/0", "attempts[0].", {"failure", "exit_code", "signal", "ended", "metrics"});
  expect_required("/attempts/0/process", "attempts[0].process.", {});
  expect_required("/attempts/0/usage", "attempts[0].usage.", {});
  expect_required("/attempts/0/artifacts/0", "attempts[0].artifacts[0].", {"source", "first_version", "last_version"});
  expect_required("/attempts/0/metrics/1", "attempts[0].metrics[1].", {"value", "step"});
  expect_required("/attempts/0/artifacts/1/source", "attempts[0].artifacts[1].source.", {});
}

TEST(ExperimentJson, NamesTheFieldOfAnotherTypeOrOutOfRange) {
  expect_corrupt(with("/format", "1"), "format");
  expect_corrupt(with("/key", "a/b"), "key");
  expect_corrupt(with("/key", json{{"hex", "ff"}}), "key");
  expect_corrupt(with("/project", ""), "project");
  expect_corrupt(with("/owner", 1), "owner");
  expect_corrupt(with("/command", "train.py"), "command");
  expect_corrupt(with("/command/1", 1), "command");
  expect_corrupt(with("/directory", json::array()), "directory");
  expect_corrupt(with("/created", 12345), "created");
  expect_corrupt(with("/deleted", true), "deleted");
  expect_corrupt(with("/stop_request", "maybe"), "stop_request");
  expect_corrupt(with("/revision", -1), "revision");
  expect_corrupt(with("/revision", 18446744073709551615ull), "revision");
  expect_corrupt(with("/attempts", json::array()), "attempts");
  expect_corrupt(with("/attempts", json::object()), "attempts");
  expect_corrupt(with("/attempts/0", 5), "attempts[0]");
  expect_corrupt(with("/attempts/1", to_json(sample())["attempts"][0]), "attempts[1].number");
  expect_corrupt(with("/attempts/0/state", "asleep"), "attempts[0].state");
  expect_corrupt(with("/attempts/0/failure", "god"), "attempts[0].failure");
  expect_corrupt(with("/attempts/0/exit_code", 256), "attempts[0].exit_code");
  expect_corrupt(with("/attempts/0/exit_code", -1), "attempts[0].exit_code");
  expect_corrupt(with("/attempts/0/signal", 0), "attempts[0].signal");
  expect_corrupt(with("/attempts/0/signal", 128), "attempts[0].signal");
  expect_corrupt(with("/attempts/0/ended", false), "attempts[0].ended");
  expect_corrupt(with("/attempts/0/process", json::array()), "attempts[0].process");
  expect_corrupt(with("/attempts/0/process/script_pid", -2), "attempts[0].process.script_pid");
  expect_corrupt(with("/attempts/0/usage/user_seconds", -0.5), "attempts[0].usage.user_seconds");
  expect_corrupt(with("/attempts/0/usage/user_seconds", "1"), "attempts[0].usage.user_seconds");
  expect_corrupt(with("/attempts/0/usage/user_seconds", std::numeric_limits<double>::infinity()),
                 "attempts[0].usage.user_seconds");
  expect_corrupt(with("/attempts/0/metrics/0/goal", "best"), "attempts[0].metrics[0].goal");
  expect_corrupt(with("/attempts/0/metrics/0/name", ""), "attempts[0].metrics[0].name");
  expect_corrupt(with("/attempts/0/metrics/0/step", nullptr), "attempts[0].metrics[0].step");
  expect_corrupt(with("/attempts/0/metrics/0/value", std::numeric_limits<double>::infinity()),
                 "attempts[0].metrics[0].value");
  expect_corrupt(with("/attempts/0/artifacts/1/path", "relative"), "attempts[0].artifacts[1].path");
  expect_corrupt(with("/attempts/0/artifacts/1/mode", "steal"), "attempts[0].artifacts[1].mode");
  expect_corrupt(with("/attempts/0/artifacts/1/mode", "once"), "attempts[0].artifacts[1].source");
  expect_corrupt(with("/attempts/0/artifacts/1/default", 0), "attempts[0].artifacts[1].default");
  expect_corrupt(with("/attempts/0/artifacts/1/source", nullptr), "attempts[0].artifacts[1].source");
  expect_corrupt(with("/attempts/0/artifacts/1/source/tag", ".."), "attempts[0].artifacts[1].source.tag");
  expect_corrupt(with("/attempts/0/artifacts/0/first_version", 3), "attempts[0].artifacts[0].last_version");
}

}  // namespace
}  // namespace studio::model
