// Who asks, and what they may do.
#pragma once

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "model/experiment.hpp"
#include "server/account_file.hpp"
#include "server/accounts.hpp"

namespace studio::server {

// The one who sent a request.
struct Identity {
  enum class Kind {
    nobody,   // has shown nothing
    machine,  // whoever asks a server that listens to its own machine only
    user,     // has shown a token
  };
  Kind kind = Kind::nobody;
  std::string user = {};
  std::string token = {};  // its id
  Scope scope = Scope::read;
  // What the header X-Studio-Token of a change must be, where a browser vouches for the one who asks: it would do so
  // for any page. Empty where the request says by itself who sends it.
  std::string change_token = {};
  // Whom the server knew when the request came; null on one for its own machine.
  std::shared_ptr<const Accounts> accounts = nullptr;
  AccountFile* file = nullptr;  // where they come from

  // May do everything.
  bool is_admin() const { return kind == Kind::machine || (kind == Kind::user && scope == Scope::admin); }
};

// Of one who asked a while ago and still listens: looks at the accounts as they are now. `unauthenticated` if the token
// is not valid any more.
Result<void> renew(Identity& identity, WallTime now);

// What someone wants with an experiment.
enum class Right {
  see,
  work,    // add what a run of it makes: its owner, and writers of its project
  change,  // stop it, delete it: its owner, and admins of its project
};
bool may(const Identity& identity, Right right, const model::Experiment& experiment);
// For one who may see it, but may not do that.
Error belongs_to_another(Right right, const model::Experiment& experiment);

// `denied` unless the user may run experiments in the project: a member who writes, or anyone in one that nobody has
// claimed.
Result<void> check_project(const Identity& identity, std::string_view project);

}  // namespace studio::server
