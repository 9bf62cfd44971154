#include "server/accounts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/concat.hpp"
#include "contract/contract.hpp"
#include "contract/scratch_directory.hpp"
#include "os/fd.hpp"
#include "server/account_file.hpp"

namespace studio::server {
namespace {

using test::expect_code;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr WallTime k_now{std::chrono::hours(500'000)};
constexpr std::chrono::hours k_hour{1};

class AccountsTest : public ::testing::Test {
 protected:
  AccountsTest() {
    EXPECT_TRUE(add_user(accounts_, "ada", false, k_now));
    EXPECT_TRUE(add_user(accounts_, "root", true, k_now));
  }
  IssuedToken issue(const TokenRequest& request) {
    const auto token = issue_token(accounts_, request, k_now);
    EXPECT_TRUE(token) << token.error().message;
    return token.value_or(IssuedToken());
  }

  Accounts accounts_;
};

TEST_F(AccountsTest, ATokenIsKnownByItsSecretAlone) {
  const IssuedToken token = issue({.user = "ada"});
  const auto found = find_token(accounts_, token.text, k_now);
  ASSERT_TRUE(found);
  EXPECT_EQ((*found)->user, "ada");
  EXPECT_EQ((*found)->scope, Scope::write);
  const IssuedToken other = issue({.user = "ada"});
  const std::string secret = other.text.substr(other.text.rfind('_'));
  for (const std::string& wrong :
       {std::string(), std::string("studio_"), token.id, concat("studio_", token.id), concat("studio_", token.id, "_"),
        concat("studio_", token.id, secret), token.text + "0", token.text.substr(0, token.text.size() - 1),
        concat(" ", token.text), concat("studio__", token.text.substr(7))})
    expect_code(find_token(accounts_, wrong, k_now), Code::unauthenticated);
}

TEST_F(AccountsTest, ASecretIsNotKept) {
  const IssuedToken token = issue({.user = "ada"});
  const std::string secret = token.text.substr(token.text.rfind('_') + 1);
  EXPECT_EQ(secret.size(), 64u);
  EXPECT_THAT(accounts_text(accounts_), Not(HasSubstr(secret)));
}

TEST_F(AccountsTest, ATokenEnds) {
  const IssuedToken token = issue({.user = "ada", .expires = k_now + k_hour});
  EXPECT_TRUE(find_token(accounts_, token.text, k_now + k_hour - std::chrono::nanoseconds(1)));
  expect_code(find_token(accounts_, token.text, k_now + k_hour), Code::unauthenticated);
  expect_code(issue_token(accounts_, {.user = "ada", .expires = k_now}, k_now), Code::invalid);
  drop_expired(accounts_, k_now + k_hour);
  EXPECT_TRUE(accounts_.tokens.empty());
}

TEST_F(AccountsTest, ASessionEndsWithWhatOpenedIt) {
  const IssuedToken parent = issue({.user = "ada", .expires = k_now + 2 * k_hour});
  const IssuedToken session = issue({.user = "ada", .expires = k_now + 9 * k_hour, .parent = parent.id});
  EXPECT_TRUE(find_token(accounts_, session.text, k_now + k_hour));
  expect_code(find_token(accounts_, session.text, k_now + 3 * k_hour), Code::unauthenticated);
  ASSERT_TRUE(revoke_token(accounts_, parent.id));
  expect_code(find_token(accounts_, session.text, k_now), Code::unauthenticated);
  EXPECT_TRUE(accounts_.tokens.empty());
}

TEST_F(AccountsTest, AUserEndsWithAllTokens) {
  const IssuedToken token = issue({.user = "ada"});
  ASSERT_TRUE(set_role(accounts_, "p", "ada", Role::writer));
  ASSERT_TRUE(remove_user(accounts_, "ada"));
  expect_code(find_token(accounts_, token.text, k_now), Code::unauthenticated);
  EXPECT_EQ(accounts_.role_of("ada", "p"), std::nullopt);
  expect_code(remove_user(accounts_, "ada"), Code::not_found);
  // Whoever comes next under the name is another.
  ASSERT_TRUE(add_user(accounts_, "ada", false, k_now));
  expect_code(find_token(accounts_, token.text, k_now), Code::unauthenticated);
}

TEST_F(AccountsTest, OnlyAdministratorsHaveTokensOfThatScope) {
  expect_code(issue_token(accounts_, {.user = "ada", .scope = Scope::admin}, k_now), Code::denied);
  const IssuedToken token = issue({.user = "root", .scope = Scope::admin});
  accounts_.users.at("root").is_admin = false;
  expect_code(find_token(accounts_, token.text, k_now), Code::unauthenticated);
  expect_code(issue_token(accounts_, {.user = "eve"}, k_now), Code::not_found);
}

TEST_F(AccountsTest, RolesAreOfOneOrOfEveryone) {
  EXPECT_EQ(accounts_.role_of("ada", "p"), std::nullopt);
  ASSERT_TRUE(set_role(accounts_, "p", "*", Role::reader));
  EXPECT_EQ(accounts_.role_of("ada", "p"), Role::reader);
  ASSERT_TRUE(set_role(accounts_, "p", "ada", Role::admin));
  EXPECT_EQ(accounts_.role_of("ada", "p"), Role::admin);
  EXPECT_EQ(accounts_.role_of("root", "p"), Role::reader);
  EXPECT_EQ(accounts_.role_of("ada", "q"), std::nullopt);
  ASSERT_TRUE(set_role(accounts_, "p", "ada", std::nullopt));
  EXPECT_EQ(accounts_.role_of("ada", "p"), Role::reader);
  expect_code(set_role(accounts_, "p", "eve", Role::reader), Code::not_found);
  expect_code(set_role(accounts_, "a/b", "ada", Role::reader), Code::invalid);
}

TEST_F(AccountsTest, NamesAreNames) {
  for (const char* bad : {"", "a b", "../x", "a/b", "*"})
    expect_code(add_user(accounts_, bad, false, k_now), Code::invalid);
  expect_code(add_user(accounts_, "ada", true, k_now), Code::already_exists);
  EXPECT_FALSE(accounts_.find_user("ada")->is_admin);
}

TEST_F(AccountsTest, AreReadBackAsTheyWere) {
  issue({.user = "ada", .scope = Scope::work, .note = "caf\xe9", .expires = k_now + k_hour});
  issue({.user = "root", .scope = Scope::admin});
  ASSERT_TRUE(set_role(accounts_, "p", "*", Role::reader));
  const std::string text = accounts_text(accounts_);
  const auto read = accounts_from_text(text);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(accounts_text(*read), text);
}

TEST_F(AccountsTest, DamageIsTold) {
  const std::string text = accounts_text(accounts_);
  for (const auto& [wrong, code] :
       std::initializer_list<std::pair<std::string, Code>>{{"", Code::corrupt},
                                                           {"[]", Code::corrupt},
                                                           {"{\"format\": 2}", Code::unsupported},
                                                           {text.substr(1), Code::corrupt}})
    expect_code(accounts_from_text(wrong), code);
}

TEST(AccountFile, IsSharedByProcesses) {
  const test::ScratchDirectory directory;
  AccountFile mine(directory / "deep/accounts.json");
  AccountFile theirs(directory / "deep/accounts.json");
  ASSERT_TRUE((*mine.read())->users.empty()) << "there is no file yet";
  test::in_threads(4, [&](int i) {
    AccountFile& file = i % 2 == 0 ? mine : theirs;
    for (int n = 0; n < 10; ++n)
      ASSERT_TRUE(file.change([&](Accounts& all) { return add_user(all, concat("u", i, ".", n), false, k_now); }));
  });
  EXPECT_EQ((*mine.read())->users.size(), 40u);
  EXPECT_EQ((*theirs.read())->users.size(), 40u);
  const auto status = os::status(directory / "deep/accounts.json");
  ASSERT_TRUE(status);
  EXPECT_EQ(status->st_mode & 0777, 0600u);
}

TEST(AccountFile, ARefusedChangeChangesNothing) {
  const test::ScratchDirectory directory;
  AccountFile file(directory / "accounts.json");
  ASSERT_TRUE(file.change([](Accounts& all) { return add_user(all, "ada", false, k_now); }));
  expect_code(file.change([](Accounts& all) -> Result<void> {
    TRY(add_user(all, "eve", true, k_now));
    return Error{Code::denied, "no"};
  }),
              Code::denied);
  EXPECT_EQ((*file.read())->users.size(), 1u);
}

TEST(AccountFile, ADamagedOneLetsNobodyIn) {
  const test::ScratchDirectory directory;
  directory.write("accounts.json", "{\"format\": 1, \"users\": [{}]}");
  AccountFile file(directory / "accounts.json");
  const auto read = file.read();
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, HasSubstr("accounts.json"));
  expect_code(file.change([](Accounts&) -> Result<void> { return {}; }), Code::corrupt);
}

}  // namespace
}  // namespace studio::server
