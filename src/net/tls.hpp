// What both ends of TLS need (RFC 8446, RFC 5246): version 1.2 or later, OpenSSL's choice of ciphers.
#pragma once

#include <memory>
#include <string>

#include <boost/asio/ssl/context.hpp>

#include "base/result.hpp"
#include "net/http_server.hpp"

namespace studio::net {

using TlsContext = std::unique_ptr<boost::asio::ssl::context>;

// Errors name the file: not there, not readable, holds no certificate or no key, key of another certificate.
Result<TlsContext> server_tls(const TlsFiles& files);

// For clients: a peer's certificate must lead to an authority of the system, or be in (or lead to) the PEM file
// `authorities`, which may be empty. The system's are those that SSL_CERT_FILE and SSL_CERT_DIR name, or else where the
// usual distributions have them.
Result<TlsContext> client_tls(const std::string& authorities);

}  // namespace studio::net
