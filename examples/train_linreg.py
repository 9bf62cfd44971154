"""Train a linear regression by gradient descent and save its weights at every step.

    studio run --capture=~/weights:weights --experiment linear_regression examples/train_linreg.py

print_norm_linreg.py shows what was saved.
"""

import argparse
import os

import numpy as np
from studio import fs_tracker

SAMPLES = 100
FEATURES = 5
LEARNING_RATE = 0.1

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument('--steps', type=int, default=20, help='how many steps to train (default: 20)')
args = parser.parse_args()
if args.steps < 1:
    parser.error('--steps must be at least 1')

# Studio says where the weights go: ~/weights here, a cache directory on a worker.
weights_dir = fs_tracker.get_artifact('weights')
os.makedirs(weights_dir, exist_ok=True)

# Data with a known answer and a little noise; the seed makes every run the same.
random = np.random.RandomState(seed=1)
true_weights = random.normal(size=FEATURES)
x = random.normal(size=(SAMPLES, FEATURES))
y = x.dot(true_weights) + 0.1 * random.normal(size=SAMPLES)

w = np.zeros(FEATURES)
for step in range(1, args.steps + 1):
    error = x.dot(w) - y
    w -= LEARNING_RATE * x.T.dot(error) / SAMPLES
    loss = 0.5 * np.mean((x.dot(w) - y) ** 2)
    print('step {}: loss {:.6f}'.format(step, loss), flush=True)
    np.save(os.path.join(weights_dir, 'lr_w_{}_{:.6f}.npy'.format(step, loss)), w)
