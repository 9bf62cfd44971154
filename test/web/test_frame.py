"""What all pages have: the bar, the theme, and what happens when the server goes away."""

from playwright.sync_api import expect

from server import Server

DARK = 'rgb(15, 18, 23)'
LIGHT = 'rgb(255, 255, 255)'


def ground(page):
    return page.evaluate('getComputedStyle(document.documentElement).backgroundColor')


def test_the_theme_is_chosen_and_remembered(server, browse):
    page = browse(server)
    assert ground(page) == LIGHT
    themes = page.get_by_role('radiogroup', name='Theme')
    themes.get_by_title('Theme: dark').click()
    assert ground(page) == DARK
    # It is there before the page's own script has come: nothing flashes.
    page.context.route('**/assets/app.js', lambda route: route.abort())
    page.goto(server.url + '/storage')
    assert ground(page) == DARK
    page.context.unroute('**/assets/app.js')
    page.reload()
    themes.get_by_role('radio', name='dark').focus()
    page.keyboard.press('ArrowRight')
    expect(themes.get_by_role('radio', name='auto')).to_be_checked()
    assert ground(page) == LIGHT
    page.emulate_media(color_scheme='dark')
    assert ground(page) == DARK


def test_pages_are_reached_by_the_bar(server, browse):
    page = browse(server)
    page.evaluate('window.hasStayed = true')
    bar = page.get_by_role('navigation', name='Pages')
    for name, address in (('Storage', '/storage'), ('Compare', '/compare'), ('Experiments', '/')):
        bar.get_by_role('link', name=name).click()
        expect(page).to_have_url(server.url + address)
        expect(page.get_by_role('heading', name=name, level=1)).to_be_visible()
        expect(bar.get_by_role('link', name=name)).to_have_attribute('aria-current', 'page')
    assert page.evaluate('window.hasStayed')
    page.go_back()
    expect(page.get_by_role('heading', name='Compare', level=1)).to_be_visible()
    expect(page).to_have_title('Compare · Studio')


def test_the_version_is_told(sandbox, server, browse):
    version = sandbox.run('--version').out.split()[-1]
    expect(browse(server).get_by_title('Version of Studio')).to_have_text(version)


def test_a_server_that_goes_away_and_comes_back(sandbox, browse):
    sandbox.write_script('train.py', '''
        mark('started')
        wait_for('end')
    ''')
    server = Server(sandbox)
    run = sandbox.start('run', '-e', 'exp', 'train.py')
    sandbox.wait_mark('started')
    page = browse(server)
    exp = page.locator('[role=row][data-index]').filter(has_text='exp')
    expect(exp).to_contain_text('running')
    server.process.popen.terminate()
    server.process.wait(check_code=None)
    banner = page.get_by_text('The server does not answer.')
    expect(banner).to_be_visible()
    expect(exp).to_be_visible()
    sandbox.mark('end')
    run.wait()
    Server(sandbox, server.port)
    expect(banner).to_have_count(0)
    expect(exp).to_contain_text('finished')
    # The token is another one now.
    run = sandbox.start('run', '-e', 'next', sandbox.write_script('wait.py', "mark('two')\nwait_for('never')").name)
    sandbox.wait_mark('two')
    page.get_by_role('checkbox', name='Select next').click()
    bar = page.get_by_role('region', name='Selected experiments')
    bar.get_by_role('button', name='Stop').click()
    bar.get_by_role('button', name='Yes, stop').click()
    expect(bar.get_by_role('status')).to_have_text('Asked next to stop.')
    run.wait(check_code=143)


def test_who_wants_no_motion_gets_none(server, browse):
    page = browse(server, reduced_motion='reduce')
    assert page.evaluate('''() => {
        const icon = document.createElement('div');
        icon.className = 'icon-starting';
        document.body.append(icon);
        return getComputedStyle(icon).animationName;
    }''') == 'none'
