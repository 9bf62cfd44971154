"""The account page: tokens, users, and who shares a project."""

import json

import pytest
from playwright.sync_api import expect

from harness import wait_until
from team import Team
from test_accessibility import serious
from test_sign_in import form, sign_in


@pytest.fixture(scope='module')
def team(binary):
    result = Team(binary)
    result.ada = result.add_user('ada')
    machine = result.machine(result.ada)
    machine.write_script('train.py', "print('trained')")
    machine.run('run', '-e', 'exp', '--project', 'vision', 'train.py')
    yield result
    result.close()


def account(team, browse, token, **options):
    page = browse(team, '/account', **options)
    sign_in(page, token)
    expect(page.get_by_role('heading', name='Account', level=1)).to_be_visible()
    return page


def row(page, table, text):
    return page.get_by_role('group', name=table, exact=True).get_by_role('row').filter(has_text=text)


def part(page, title):
    return page.locator('.section').filter(has=page.get_by_role('heading', name=title, exact=True, level=2))


def make_token(part, note, scope=None, lifetime=None):
    fields = part.get_by_role('form', name='New token')
    fields.get_by_label('What it is for').fill(note)
    if scope:
        fields.get_by_label('Scope').select_option(scope)
    if lifetime:
        fields.get_by_label('Valid for').select_option(lifetime)
    fields.get_by_role('button', name='Make a token').click()


@pytest.mark.parametrize('scheme, width', [('light', 1280), ('dark', 1280), ('light', 360)])
def test_it_is_accessible(team, browse, scheme, width):
    page = account(team, browse, team.root, scheme=scheme, width=width)
    expect(row(page, 'Users', 'ada')).to_be_visible()
    expect(page.get_by_role('group', name='Project vision')).to_be_visible()
    make_token(part(page, 'Tokens'), 'of ' + scheme)
    expect(page.get_by_role('group', name='The new token')).to_be_visible()
    row(page, 'Users', 'ada').get_by_role('button', name='Remove').click()
    assert serious(page) == []
    assert page.evaluate('document.documentElement.scrollWidth') <= width


def test_a_token_for_another_machine(team, browse):
    page = account(team, browse, team.ada)
    make_token(part(page, 'Tokens'), 'laptop')
    made = page.get_by_role('group', name='The new token')
    made.get_by_role('button', name='Copy token').click()
    expect(made.get_by_text('Copied')).to_be_attached()
    token = page.evaluate('navigator.clipboard.readText()')
    expect(made).to_contain_text(token)
    made.get_by_role('button', name='Copy commands').click()
    expect(made.get_by_text('Copied')).to_have_count(2)
    recipe = page.evaluate('navigator.clipboard.readText()')
    login, variables = recipe.splitlines()
    made.get_by_role('button', name='Done').click()
    expect(page.get_by_text(token)).to_have_count(0)
    expect(row(page, 'Tokens', 'laptop')).to_contain_text('write')

    laptop = team.machine(None)
    assert login == 'studio login ' + team.url
    laptop.run('login', team.url, input=token.encode() + b'\n')
    laptop.write_script('train.py', "print('trained')")
    laptop.run('run', '-e', 'from-laptop', 'train.py',
               env=dict(word.split('=') for word in variables.removeprefix('export ').split()))
    page.get_by_role('link', name='Experiments').click()
    expect(page.get_by_role('link', name='from-laptop')).to_be_visible()

    page.get_by_role('link', name='ada', exact=True).click()
    row(page, 'Tokens', 'laptop').get_by_role('button', name='Revoke').click()
    expect(page.get_by_role('button', name='Yes, revoke')).to_be_focused()
    page.keyboard.press('Escape')
    row(page, 'Tokens', 'laptop').get_by_role('button', name='Revoke').click()
    page.get_by_role('button', name='Yes, revoke').click()
    expect(row(page, 'Tokens', 'laptop')).to_have_count(0)
    assert team.ask('GET', '/experiments', token)[0] == 401


def test_a_token_gives_no_more_than_ones_own(team, browse):
    scopes = {'read': ['read'], 'work': ['read', 'work'], 'write': ['read', 'work', 'write']}
    for scope, offered in scopes.items():
        page = account(team, browse, team.server.run('server', 'token', 'add', 'ada', '--scope', scope).out.strip())
        expect(page.get_by_label('Scope').get_by_role('option')).to_have_text(offered)
        expect(page.get_by_role('heading', name='Users')).to_have_count(0)
        expect(page.get_by_role('heading', name='Projects')).to_have_count(0)
    make_token(part(page, 'Tokens'), 'brief', 'read', '30 days')
    expect(row(page, 'Tokens', 'brief')).to_contain_text('read')
    expect(row(page, 'Tokens', 'brief').get_by_role('time')).to_have_count(2)


def test_what_ends_ones_own_session_asks_to_sign_in(team, browse):
    token = team.server.run('server', 'token', 'add', 'ada', '--note', 'last').out.strip()
    page = account(team, browse, token)
    row(page, 'Tokens', 'last').get_by_role('button', name='Revoke').click()
    page.get_by_role('button', name='Yes, revoke').click()
    expect(form(page)).to_be_visible()
    expect(page).to_have_url(team.url + '/account')


def test_a_note_is_text(team, browse):
    evil = '<img src=x onerror="document.title=\'evil\'"><b>bold</b>'
    page = account(team, browse, team.ada)
    make_token(part(page, 'Tokens'), evil)
    expect(row(page, 'Tokens', evil)).to_be_visible()
    expect(page.locator('table img, table b')).to_have_count(0)
    expect(page).to_have_title('Account · Studio')


def test_users(team, browse):
    page = account(team, browse, team.root)
    users = part(page, 'Users')
    fields = users.get_by_role('form', name='New user')
    fields.get_by_label('Name').fill('ada')
    fields.get_by_role('button', name='Add a user').click()
    expect(users.get_by_role('alert')).to_contain_text('already')
    fields.get_by_label('Name').fill('eve')
    fields.get_by_role('button', name='Add a user').click()
    expect(row(page, 'Users', 'eve')).to_be_visible()
    expect(users.get_by_role('alert')).to_have_count(0)
    expect(users.get_by_label('Scope').get_by_role('option')).to_have_text(['read', 'work', 'write'])
    make_token(users, 'first')
    token = users.get_by_role('group', name='The new token').locator('pre').first.inner_text()
    assert team.ask('GET', '/experiments', token)[0] == 200
    expect(row(page, 'Users', 'root').get_by_role('button')).to_have_count(0)
    row(page, 'Users', 'eve').get_by_role('button', name='Remove').click()
    page.get_by_role('button', name='Yes, remove').click()
    expect(row(page, 'Users', 'eve')).to_have_count(0)
    assert team.ask('GET', '/experiments', token)[0] == 401


def test_who_shares_a_project(team, browse):
    bob = team.add_user('bob')
    team.server.run('server', 'project', 'share', 'vision', 'ada', 'admin')
    page = account(team, browse, team.ada)
    vision = page.get_by_role('group', name='Project vision')
    fields = vision.get_by_role('form', name='Share vision')
    fields.get_by_label('User, or * for everyone').fill('nobody')
    fields.get_by_role('button', name='Share').click()
    expect(vision.get_by_role('alert')).to_contain_text("no user 'nobody'")
    fields.get_by_label('User, or * for everyone').fill('bob')
    fields.get_by_role('button', name='Share').click()
    expect(vision.get_by_label('Role of bob')).to_have_value('reader')
    assert team.ask('GET', '/experiments/exp', bob)[0] == 200
    vision.get_by_label('Role of bob').select_option('admin')

    def role_of_bob():
        projects = team.ask('GET', '/projects', bob)[1]['projects']
        return [each['role'] for project in projects for each in project['members'] if each['user'] == 'bob']

    wait_until(lambda: role_of_bob() == ['admin'])
    vision.get_by_role('button', name='Remove bob').click()
    vision.get_by_role('button', name='Yes, remove').click()
    expect(vision.get_by_label('Role of bob')).to_have_count(0)
    assert team.ask('GET', '/experiments/exp', bob)[0] == 404


def test_an_administrator_shares_a_project_before_its_first_run(team, browse):
    carl = team.add_user('carl')
    page = account(team, browse, team.root)
    part = page.get_by_role('group', name='Another project')
    project, user = part.get_by_label('Project', exact=True), part.get_by_label('User, or * for everyone')
    user.fill('carl')
    part.get_by_label('Role').select_option('writer')
    for wrong in ('', '..', 'a/b', 'a b', 'x' * 101):
        project.fill(wrong)
        part.get_by_role('button', name='Share').click()
        assert not project.evaluate('(input) => input.checkValidity()'), wrong
    project.fill('next')
    user.fill('nobody')
    part.get_by_role('button', name='Share').click()
    expect(part.get_by_role('alert')).to_contain_text("no user 'nobody'")
    user.fill('carl')
    part.get_by_role('button', name='Share').click()
    expect(page.get_by_role('group', name='Project next').get_by_label('Role of carl')).to_have_value('writer')
    expect(project).to_have_value('')
    expect(part.get_by_role('alert')).to_have_count(0)
    assert [each['name'] for each in team.ask('GET', '/projects', carl)[1]['projects']] == ['next']
    page = account(team, browse, team.add_user('dora'))
    expect(page.get_by_role('group', name='Another project')).to_have_count(0)


def test_nothing_of_it_is_on_ones_own_machine(server, browse):
    page = browse(server, '/account')
    expect(page.get_by_text('it has no accounts')).to_be_visible()
    bar = page.get_by_role('banner')
    expect(bar.get_by_role('link')).to_have_text(['Studio', 'Experiments', 'Compare', 'Storage'])
    expect(bar.get_by_role('button')).to_have_count(0)
    assert json.loads(page.evaluate('fetch("/api/v1/session").then((answer) => answer.text())'))['user'] is None
