"""Print the norm of the weights that train_linreg.py saved, step by step.

    studio run --reuse=linear_regression/weights:w examples/print_norm_linreg.py
"""

import argparse
import os
import re
import sys

import numpy as np
from studio import fs_tracker

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument('--steps', type=int, help='print only the newest STEPS steps (default: all)')
args = parser.parse_args()
if args.steps is not None and args.steps < 1:
    parser.error('--steps must be at least 1')

# The weights of the other experiment, wherever Studio put them on this machine.
weights_dir = fs_tracker.get_artifact('w')

saved = []
for name in os.listdir(weights_dir) if os.path.isdir(weights_dir) else []:
    match = re.fullmatch(r'lr_w_(\d+)_(.+)\.npy', name)
    if match:
        saved.append((int(match.group(1)), name))
if not saved:
    sys.exit('There are no weights in {}: run train_linreg.py first.'.format(weights_dir))
saved.sort()

for step, name in saved[-args.steps:] if args.steps else saved:
    w = np.load(os.path.join(weights_dir, name))
    print('step {}: norm {:.6f}'.format(step, np.linalg.norm(w)))
print('newest weights, of step {}: {}'.format(step, w))
