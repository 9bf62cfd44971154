#include "net/tls.hpp"

#include <cstdlib>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "os/fd.hpp"

namespace studio::net {

namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

constexpr std::size_t k_most_file = 1 << 20;

TlsContext new_context(ssl::context::method method) {
  auto context = std::make_unique<ssl::context>(method);
  SSL_CTX* const native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  // A peer could have the keys agreed on again and again.
  SSL_CTX_set_options(native, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  // Idle connections hold no buffers.
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  return context;
}

// `invalid` unless the file holds certificates.
Result<void> trust_file(ssl::context& context, const std::string& path) {
  TRY_ASSIGN(const Bytes pem, os::read_file(path, k_most_file));
  X509_STORE* const store = SSL_CTX_get_cert_store(context.native_handle());
  const int before = sk_X509_OBJECT_num(X509_STORE_get0_objects(store));
  error_code error;
  context.add_certificate_authority(boost::asio::buffer(pem), error);
  if (!error && sk_X509_OBJECT_num(X509_STORE_get0_objects(store)) > before) return {};
  return Error{Code::invalid, concat("'", printable(path), "' holds no certificates"), "they must be in PEM format"};
}

// The binary brings an OpenSSL that knows of Debian's places only.
Result<void> trust_system(ssl::context& context) {
  const char* const file = std::getenv("SSL_CERT_FILE");
  const char* const directory = std::getenv("SSL_CERT_DIR");
  error_code ignored;  // of a directory, which is looked into when a certificate is wanted
  if (directory != nullptr) context.add_verify_path(directory, ignored);
  if (file != nullptr) return trust_file(context, file);
  if (directory != nullptr) return {};
  for (const char* const bundle :
       {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"})
    if (trust_file(context, bundle)) return {};
  context.add_verify_path("/etc/ssl/certs", ignored);
  return {};
}

}  // namespace

Result<TlsContext> client_tls(const std::string& authorities) {
  auto context = new_context(ssl::context::tls_client);
  TRY(trust_system(*context));
  if (!authorities.empty()) TRY(trust_file(*context, authorities));
  error_code ignored;
  context->set_verify_mode(ssl::verify_peer, ignored);
  X509_VERIFY_PARAM* const rules = SSL_CTX_get0_param(context->native_handle());
  // A certificate that was trusted by itself needs no authority.
  X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);
  X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return context;
}

Result<TlsContext> server_tls(const TlsFiles& files) {
  TRY_ASSIGN(const Bytes certificate, os::read_file(files.certificate, k_most_file));
  TRY_ASSIGN(const Bytes key, os::read_file(files.key, k_most_file));
  auto context = new_context(ssl::context::tls_server);
  error_code error;
  // Without this a key under a passphrase would be asked for on the terminal.
  context->set_password_callback([](std::size_t, ssl::context::password_purpose) { return std::string(); });
  context->use_private_key(boost::asio::buffer(key), ssl::context::pem, error);
  if (error)
    return Error{Code::invalid, concat("'", printable(files.key), "' holds no private key: ", error.message()),
                 "it must be in PEM format, without a passphrase"};
  context->use_certificate_chain(boost::asio::buffer(certificate), error);
  if (error)
    return Error{Code::invalid, concat("'", printable(files.certificate), "' holds no certificate: ", error.message()),
                 "it must be in PEM format, the server's own certificate first"};
  if (SSL_CTX_check_private_key(context->native_handle()) != 1)
    return Error{Code::invalid, concat("the private key in '", printable(files.key),
                                       "' is not that of the certificate in '", printable(files.certificate), "'")};
  return context;
}

}  // namespace studio::net
