#include "server/identity.hpp"

#include "base/concat.hpp"
#include "base/display.hpp"

namespace studio::server {

Result<void> renew(Identity& identity, WallTime now) {
  if (identity.file == nullptr) return {};
  TRY_ASSIGN(identity.accounts, identity.file->read());
  const auto token = identity.accounts->tokens.find(identity.token);
  if (token != identity.accounts->tokens.end() && is_valid(*identity.accounts, token->second, now)) return {};
  return Error{Code::unauthenticated, "the token is not valid any more"};
}

bool may(const Identity& identity, Right right, const model::Experiment& experiment) {
  if (identity.is_admin()) return true;
  if (identity.kind != Identity::Kind::user) return false;
  const bool is_owner = experiment.owner == identity.user;
  const auto role = identity.accounts->role_of(identity.user, experiment.project);
  const auto has = [&](Role needed) { return is_owner || (role && *role >= needed); };
  switch (right) {
    case Right::see: return has(Role::reader);
    case Right::work: return has(Role::writer) && includes(identity.scope, Scope::work);
    case Right::change: return has(Role::admin) && includes(identity.scope, Scope::write);
  }
  return false;
}

Error belongs_to_another(Right right, const model::Experiment& experiment) {
  return {Code::denied, concat("experiment '", experiment.key, "' belongs to ", printable(experiment.owner)),
          concat("ask its owner, or an admin of its project",
                 right == Right::work ? "; a run of yours needs another name: --experiment NAME" : "")};
}

Result<void> check_project(const Identity& identity, std::string_view project) {
  if (identity.is_admin()) return {};
  const auto members = identity.accounts->projects.find(project);
  if (members == identity.accounts->projects.end() || members->second.empty()) return {};
  const auto role = identity.accounts->role_of(identity.user, project);
  if (role && *role >= Role::writer) return {};
  return Error{Code::denied,
               concat("user '", identity.user, "' may not run experiments in project '", printable(project), "'"),
               "ask one of its admins, or choose another with --project"};
}

}  // namespace studio::server
