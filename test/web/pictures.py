"""Takes the pictures of the README: pictures.py DIRECTORY. See scripts/page-pictures."""

import os
import pathlib
import sys

from playwright.sync_api import expect, sync_playwright

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / 'test/cli'))

import event_file  # noqa: E402
from harness import Sandbox  # noqa: E402

SCRIPT = """
    import json
    import math
    import random
    import sys
    import time
    import numpy
    from event_file import scalar
    from studio import fs_tracker

    rate, seed = float(sys.argv[2]), int(sys.argv[4])
    random.seed(seed)
    model = fs_tracker.get_model_directory() + '/'
    weights = numpy.random.default_rng(seed).normal(size=(256, 128)).astype('f4')
    began = time.time() - 3600
    with open(fs_tracker.get_tensorboard_dir() + '/events.out.tfevents.1', 'wb') as events:
        for step in range(0, 2000, 4):
            noise = random.gauss(0, 0.03)
            loss = 2.3 * math.exp(-rate * step / 120) + 0.12 + noise * math.exp(-step / 1500)
            accuracy = 1 - 0.9 * math.exp(-rate * step / 200) + noise / 3
            rows = {'train/loss': loss, 'train/accuracy': accuracy}
            if step % 100 == 0:
                rows.update({'eval/loss': loss * 1.15 + 0.02, 'eval/accuracy': accuracy * 0.97})
                print('\\x1b[1mstep %4d\\x1b[0m  loss \\x1b[33m%.4f\\x1b[0m  accuracy \\x1b[32m%.4f\\x1b[0m' % (step, loss, accuracy))
            for tag, value in rows.items():
                events.write(scalar(step, tag, value, began + step))
            if step % 500 == 0:
                numpy.savez(model + 'step_%d.npz' % step, dense=weights, bias=numpy.zeros(128, 'f4'))
    with open('result.json', 'w') as result:
        json.dump({'rate': rate, 'seed': seed, 'loss': loss}, result)
"""
RUNS = [('baseline', '0.5', '1'), ('lr-1.0', '1.0', '2'), ('lr-2.0', '2.0', '3'), ('lr-4.0', '4.0', '4')]


def make_experiments(sandbox):
    sandbox.write(sandbox.workspace / 'event_file.py', event_file.source())
    sandbox.write_script('train.py', SCRIPT)
    for key, rate, seed in RUNS:
        sandbox.run('run', '-e', key, '--project', 'digits', '--metric', 'eval/loss:min', '--metric', 'eval/accuracy:max',
                    'train.py', '--lr', rate, '--seed', seed)
    sandbox.write_script('broken.py', 'raise SystemExit("no such file: data.csv")')
    sandbox.run('run', '-e', 'broken', '--project', 'digits', 'broken.py', check_code=1)
    sandbox.write_script('long.py', 'mark("started")\nwait_for("end")')
    running = sandbox.start('run', '-e', 'overnight', '--project', 'speech', 'long.py')
    sandbox.wait_mark('started')
    return running


def take(browser, url, directory):
    pictures = [
        ('page-experiments', '/', 'light', lambda page: expect(page.get_by_text('overnight').first).to_be_visible()),
        ('page-charts', '/experiments/baseline/charts', 'dark',
         lambda page: expect(page.locator('.plot canvas')).to_have_count(4)),
        ('page-compare', '/compare?keys=' + ','.join(key for key, _, _ in RUNS), 'light',
         lambda page: expect(page.locator('.plot canvas').first).to_be_visible()),
    ]
    for name, address, scheme, is_ready in pictures:
        page = browser.new_page(color_scheme=scheme, viewport={'width': 1280, 'height': 760}, locale='en-GB',
                                reduced_motion='reduce')
        page.add_init_script('''localStorage.setItem('studio-columns', '[["parameter:lr", true]]')''')
        page.goto(url + address)
        is_ready(page)
        page.wait_for_load_state('networkidle') if 'experiments/' in address else None
        page.screenshot(path=str(directory / (name + '.png')))
        page.close()


def main():
    directory = pathlib.Path(sys.argv[1])
    sandbox = Sandbox(REPOSITORY / 'build/release/studio')
    try:
        running = make_experiments(sandbox)
        server = sandbox.start('ui', '--port', '0')
        server.wait_output(b'http://')
        with sync_playwright() as playwright:
            arguments = ['--no-sandbox'] if os.geteuid() == 0 else []
            browser = playwright.chromium.launch(executable_path='/usr/bin/chromium', args=arguments)
            take(browser, server.stdout.decode().split()[0].rstrip('/'), directory)
            browser.close()
        sandbox.mark('end')
        running.wait()
    finally:
        sandbox.close()


if __name__ == '__main__':
    main()
