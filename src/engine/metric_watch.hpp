// Reads the metrics that a user asked for out of what the script writes for TensorBoard, as it is written.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "analysis/event_directory.hpp"
#include "model/experiment.hpp"

namespace studio::engine {

// Used by one thread at a time.
class MetricWatch {
 public:
  // `directory`: of the artifact `tb`. Each value begins as it is in `metrics`.
  MetricWatch(std::string directory, std::vector<model::Metric> metrics)
      : events_(std::move(directory)), metrics_(std::move(metrics)) {}

  // Reads what was added to the event files below the directory; whether any value is another one now.
  bool update();
  const std::vector<model::Metric>& metrics() const { return metrics_; }
  // Scalars that were found, for who asked for one that was not; at most 20.
  const std::vector<std::string>& found() const { return found_; }

 private:
  bool take(const std::string& run, const analysis::PointHead& head, double value);

  analysis::EventDirectory events_;
  std::vector<model::Metric> metrics_;
  std::vector<std::string> found_;
};

}  // namespace studio::engine
