#!/usr/bin/env python3
"""How soon the page shows something.

    scripts/test web                                    # makes the environment with Playwright
    build/web-peers/bin/python bench/page.py [--experiments 100000] [--rounds 10] [--directory /var/tmp] [--studio PATH]

`studio ui` over a catalog of 100,000 experiments (as bench/server.py makes it); Chromium opens the list, each time with an empty cache.
From the navigation to the first contentful paint (w3.org/TR/paint-timing) and to the first row of the table; then what scrolling to
the middle of the list takes until its rows are there. Script is what the first page loads, as it is sent.
"""

import os
import statistics

import measure
import server

FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
SCRIPTS = """performance.getEntriesByType('resource').filter((each) => each.name.endsWith('.js'))
             .reduce((sum, each) => sum + each.encodedBodySize, 0)"""
ROW = '[role=row][data-index] .cell-key a'
TO_THE_MIDDLE = """async () => {
  const table = document.querySelector('.run-table');
  const began = performance.now();
  table.scrollTop = table.scrollHeight / 2;
  const isThere = () => [...document.querySelectorAll('[role=row][data-index]')].some(
    (row) => Number(row.dataset.index) > 1000 && row.querySelector('.cell-key a'));
  while (!isThere()) await new Promise(requestAnimationFrame);
  return performance.now() - began;
}"""


def open_once(browser, url):
    """Milliseconds to the first paint, to the first row, and of scrolling; bytes of script."""
    page = browser.new_page(viewport={'width': 1280, 'height': 800})
    page.goto(url, wait_until='commit')
    page.wait_for_selector(ROW)
    to_row = page.evaluate('performance.now()')
    page.wait_for_function(FIRST_PAINT)
    figures = (page.evaluate(FIRST_PAINT), to_row, page.evaluate(TO_THE_MIDDLE), page.evaluate(SCRIPTS))
    page.close()
    return figures


def main():
    parser = measure.argument_parser(__doc__)
    parser.add_argument('--experiments', type=int, default=100_000)
    parser.add_argument('--rounds', type=int, default=10)
    parser.add_argument('--directory', default='/var/tmp')
    measure.add_studio_option(parser)
    arguments = parser.parse_args()
    from playwright.sync_api import sync_playwright
    with measure.scratch_folder(arguments.directory) as scratch, sync_playwright() as playwright:
        studio = measure.Studio(arguments.studio, scratch)
        measure.run([studio.binary, 'run', '--quiet', '/bin/true'], **studio.place)
        server.fill_catalog(studio, arguments.experiments)
        browser = playwright.chromium.launch(executable_path=os.environ.get('CHROMIUM', '/usr/bin/chromium'),
                                             args=['--no-sandbox'] if os.geteuid() == 0 else [])
        with server.serving(studio) as serving:
            url = 'http://%s:%d/' % serving.address
            open_once(browser, url)  # the server reads the catalog
            samples = [open_once(browser, url) for _ in range(arguments.rounds)]
        browser.close()
    rows = []
    for name, values in zip(('first contentful paint', 'first row', 'the middle of the list'), zip(*samples)):
        rows.append((name, '%.0f' % statistics.median(values), '%.0f–%.0f' % (min(values), max(values))))
    measure.print_table(('what', 'ms, median', 'least–most'), rows)
    print('\nscript of the first page, as it is sent: %.1f KB' % (samples[0][3] / 1000))


if __name__ == '__main__':
    main()
