"""The page on a server of a team: signing in and out, and what is offered to whom."""

import pytest
from playwright.sync_api import expect

from harness import wait_until
from team import Team
from test_accessibility import serious


@pytest.fixture(scope='module')
def team(binary):
    """Two users and a run of each; neither shares anything."""
    result = Team(binary)
    result.tokens = {name: result.add_user(name) for name in ('ada', 'bob')}
    for name in ('ada', 'bob'):
        machine = result.machine(result.tokens[name])
        machine.write_script('train.py', "print('of %s')" % name)
        machine.run('run', '-e', 'exp-' + name, '--project', name + 's', 'train.py')
    yield result
    result.close()


def form(page):
    return page.get_by_role('heading', name='Sign in', level=1)


def sign_in(page, token):
    page.get_by_label('Token', exact=True).fill(token)
    page.get_by_role('button', name='Sign in').click()
    expect(form(page)).to_have_count(0)
    expect(page.get_by_role('button', name='Sign out').first).to_be_visible()


def keys(page):
    return page.locator('.cell-key a')


@pytest.mark.parametrize('scheme, width', [('light', 1280), ('dark', 1280), ('light', 360)])
def test_the_form_is_accessible(team, browse, scheme, width):
    page = browse(team, '/compare?keys=a,b', scheme=scheme, width=width)
    expect(page.get_by_label('Token', exact=True)).to_be_focused()
    expect(page.get_by_role('navigation', name='Pages').get_by_role('link')).to_have_count(0)
    assert serious(page) == []
    assert page.evaluate('document.documentElement.scrollWidth') <= width
    before = page.get_by_text('An administrator of this server').bounding_box()
    page.keyboard.type('studio_x_y')
    page.keyboard.press('Enter')
    expect(page.get_by_role('alert')).to_contain_text('not valid')
    assert page.get_by_text('An administrator of this server').bounding_box() == before, 'nothing moves'
    assert serious(page) == []


def test_the_keyboard_is_enough_and_the_address_stays(team, browse):
    page = browse(team, '/experiments/exp-ada/output?attempt=0')
    expect(page.get_by_label('Token', exact=True)).to_be_focused()
    page.keyboard.type(team.tokens['ada'])
    page.keyboard.press('Enter')
    expect(page.get_by_text('of ada')).to_be_visible()
    expect(page).to_have_url(team.url + '/experiments/exp-ada/output?attempt=0')
    expect(page.get_by_role('link', name='ada', exact=True)).to_have_attribute('href', '/account')
    assert page.evaluate('JSON.stringify([localStorage, sessionStorage, document.cookie])') == '[{},{},""]'
    page.reload()
    expect(page.get_by_text('of ada')).to_be_visible()


def test_tokens_that_let_nobody_in(team, browse):
    page = browse(team)
    revoked = team.server.run('server', 'token', 'add', 'ada').out.strip()
    team.server.run('server', 'token', 'revoke', revoked.split('_')[1])
    expired = team.server.run('server', 'token', 'add', 'ada', '--expires', '500ms').out.strip()
    wait_until(lambda: team.ask('GET', '/experiments', expired)[0] == 401)
    for token in ('nonsense', team.tokens['ada'][:-1] + 'g', revoked, expired):
        page.get_by_label('Token', exact=True).fill(token)
        with page.expect_response('**/api/v1/session') as answer:
            page.get_by_role('button', name='Sign in').click()
        assert answer.value.status == 401
        expect(page.get_by_role('alert')).to_have_text('the token is not valid: it is wrong, has expired or was revoked')
    sign_in(page, team.tokens['ada'])


def test_two_users_see_what_is_shared(team, browse):
    pages = {}
    for name in ('ada', 'bob'):
        pages[name] = browse(team)
        sign_in(pages[name], team.tokens[name])
        expect(keys(pages[name])).to_have_text(['exp-' + name])
    page = pages['bob']
    page.goto(team.url + '/experiments/exp-ada')
    expect(page.get_by_role('alert')).to_contain_text("no experiment 'exp-ada'")
    team.server.run('server', 'project', 'share', 'adas', 'bob', 'reader')
    try:
        page.reload()
        expect(page.get_by_title('Owner')).to_have_text('ada')
        page.get_by_role('link', name='Experiments').first.click()
        expect(keys(page)).to_have_text(['exp-bob', 'exp-ada'])
        # Only what may be done is offered.
        for key in ('exp-bob', 'exp-ada'):
            page.get_by_role('checkbox', name='Select ' + key).click()
        expect(page.get_by_role('button', name='Delete', exact=True)).to_be_visible()
        page.goto(team.url + '/experiments/exp-ada')
        expect(page.get_by_title('Owner')).to_have_text('ada')
        expect(page.get_by_role('button', name='Delete')).to_have_count(0)
        team.server.run('server', 'project', 'share', 'adas', 'bob', 'admin')
        page.reload()
        page.get_by_role('button', name='Delete').click()
        page.get_by_role('button', name='Undo').click()
        expect(page.get_by_role('button', name='Delete')).to_be_visible()
        # What the page cannot know is told by the server.
        team.server.run('server', 'project', 'share', 'adas', 'bob', 'reader')
        page.get_by_role('button', name='Delete').click()
        expect(page.locator('.toast')).to_contain_text("experiment 'exp-ada' belongs to ada")
    finally:
        team.server.run('server', 'project', 'unshare', 'adas', 'bob')


def test_a_token_to_look_offers_nothing_else(team, browse):
    page = browse(team, '/experiments/exp-ada')
    sign_in(page, team.server.run('server', 'token', 'add', 'ada', '--scope', 'read').out.strip())
    expect(page.get_by_title('Owner')).to_have_text('ada')
    expect(page.get_by_role('button', name='Delete')).to_have_count(0)


def test_storage_is_for_administrators(team, browse):
    page = browse(team)
    sign_in(page, team.tokens['ada'])
    bar = page.get_by_role('navigation', name='Pages')
    expect(bar.get_by_role('link')).to_have_text(['Experiments', 'Compare'])
    page.goto(team.url + '/storage')
    expect(page.get_by_role('alert')).to_contain_text('admin')
    page = browse(team)
    sign_in(page, team.root)
    page.get_by_role('navigation', name='Pages').get_by_role('link', name='Storage').click()
    expect(page.get_by_text('On disk')).to_be_visible()


def test_signing_out(team, browse):
    page = browse(team, '/experiments/exp-ada')
    sign_in(page, team.tokens['ada'])
    cookie = next(each for each in page.context.cookies() if each['name'] == 'studio_session')
    page.get_by_role('button', name='Sign out').click()
    expect(form(page)).to_be_visible()
    expect(page).to_have_url(team.url + '/')
    # The session is over, not only forgotten.
    page.context.add_cookies([cookie])
    page.reload()
    expect(form(page)).to_be_visible()
    page.go_back()
    expect(form(page)).to_be_visible()
    sign_in(page, team.tokens['bob'])
    page.goto(team.url)
    expect(keys(page)).to_have_text(['exp-bob'])


def test_a_session_that_ends_while_the_page_is_open(team, browse):
    token = team.server.run('server', 'token', 'add', 'ada').out.strip()
    page = browse(team, '/?search=exp')
    sign_in(page, token)
    expect(keys(page)).to_have_text(['exp-ada'])
    team.server.run('server', 'token', 'revoke', token.split('_')[1])
    page.get_by_role('link', name='exp-ada').click()
    expect(form(page)).to_be_visible()
    expect(page).to_have_url(team.url + '/experiments/exp-ada')
    # With another session there is another token of changes.
    sign_in(page, team.tokens['ada'])
    expect(page).to_have_url(team.url + '/experiments/exp-ada')
    page.get_by_role('button', name='Delete').click()
    page.get_by_role('button', name='Undo').click()
    expect(page.get_by_role('button', name='Delete')).to_be_visible()


def test_streams_end_with_the_session(team, browse):
    token = team.server.run('server', 'token', 'add', 'ada').out.strip()
    page = browse(team)
    with page.expect_request('**/experiment-events*'):
        sign_in(page, token)
    expect(keys(page)).to_have_text(['exp-ada'])
    team.server.run('server', 'token', 'revoke', token.split('_')[1])
    # What shall happen in a second or later waits for the test.
    page.evaluate('''() => {
        window.later = [];
        const soon = window.setTimeout;
        window.setTimeout = (callback, ms) => ms >= 1000 ? later.push(callback) : soon(callback, ms);
        window.opened = 0;
        window.EventSource = class extends EventSource {
            constructor(url) { super(url); opened += 1; }
        };
    }''')
    # As for who looks at another tab for a while.
    with page.expect_response('**/experiment-events*') as answer:
        for is_hidden in ('true', 'false'):
            page.evaluate('''Object.defineProperty(document, 'hidden', {value: %s, configurable: true});
                             document.dispatchEvent(new Event('visibilitychange'))''' % is_hidden)
    assert answer.value.status == 401
    expect(form(page)).to_be_visible()
    assert page.evaluate('later.map((callback) => callback()).length') >= 1
    assert page.evaluate('opened') == 1


def test_another_tab_signs_in_as_someone_else(team, browse):
    page = browse(team)
    sign_in(page, team.tokens['ada'])
    expect(keys(page)).to_have_text(['exp-ada'])
    other = page.context.new_page()
    other.goto(team.url)
    other.get_by_role('button', name='Sign out').click()
    sign_in(other, team.root)
    # What ada asks for is not done in the name of root, who might.
    page.get_by_role('checkbox', name='Select exp-ada').click()
    page.get_by_role('button', name='Delete', exact=True).click()
    expect(page.get_by_role('link', name='root', exact=True)).to_be_visible()
    expect(keys(page)).to_have_text(['exp-bob', 'exp-ada'])
    assert team.server.show('exp-ada')['deleted'] is None
