// TensorBoard, started for experiments and shown behind the server.
#pragma once

#include "server/backend.hpp"
#include "server/router.hpp"
#include "server/tensorboards.hpp"

namespace studio::server {

// Both outlive the router.
void add_tensorboard_routes(Router& router, const Backend& backend, TensorBoards& boards);

}  // namespace studio::server
