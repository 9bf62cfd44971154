// What an attempt wrote for TensorBoard besides scalars: images, histograms, texts and hyperparameters.
#pragma once

#include <memory>

#include "server/attempt_events.hpp"
#include "server/router.hpp"

namespace studio::server {

void add_summary_routes(Router& router, const std::shared_ptr<AttemptEvents>& events);

}  // namespace studio::server
