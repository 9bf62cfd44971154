// The stream of events that a connection becomes.
#pragma once

#include <memory>
#include <string>

#include "net/http_connection.hpp"

namespace studio::net {

// Sends the head, and then what is sent to the stream. Ends the connection when the last copy of the pointer is gone.
std::shared_ptr<EventStream> begin_event_stream(std::shared_ptr<Connection> connection, std::string head);

}  // namespace studio::net
