"""Event files of torch.utils.tensorboard, with every kind of summary that it knows."""

import math

import numpy
import torch

import stated


def write(SummaryWriter, net):
    generator = numpy.random.default_rng(1)
    with SummaryWriter('runs/all') as writer:
        for step in range(20):
            writer.add_scalar('loss/train', math.exp(-step / 5), step, walltime=1.6e9 + step)
            writer.add_scalar('loss/new', math.exp(-step / 5), step, walltime=1.6e9 + step, new_style=True)
        writer.add_scalar('double', torch.tensor(math.pi, dtype=torch.float64), 0, new_style=True, double_precision=True)
        writer.add_scalar('double old', math.pi, 0, double_precision=True)
        for step, value in enumerate((math.inf, -math.inf, math.nan, 0, 1e300)):
            writer.add_scalar('odd', value, step * 10_000_000_000)
        writer.add_scalars('losses', {'train': 1.0, 'test': 2.0}, 3)
        for step in range(3):
            writer.add_histogram('weights', generator.normal(size=200), step)
        writer.add_histogram('few bins', torch.arange(10.0), 1, bins=4)
        writer.add_histogram('constant', torch.ones(10), 1)
        writer.add_histogram('doane', torch.arange(30.0), 1, bins='auto', max_bins=8)
        counts = numpy.array([1, 2, 0, 4])
        writer.add_histogram_raw('raw', 0, 4, 7, 15, 40, [1, 2, 3, 4], counts, 2)
        writer.add_image('picture', generator.integers(0, 255, (3, 4, 5), dtype=numpy.uint8), 1)
        writer.add_image('grey', numpy.zeros((6, 7)), 1, dataformats='HW')
        writer.add_images('pictures', generator.random((4, 3, 8, 8)), 2)
        writer.add_image_with_boxes('boxes', torch.zeros(3, 12, 12), torch.tensor([[1, 1, 5, 5]]), 1)
        writer.add_text('notes', 'some *text*\n\n| a | b |', 2)
        writer.add_text('notes', 'böse <script>', 3)
        writer.add_pr_curve('curve', torch.tensor([0, 1, 1, 0]), torch.tensor([0.1, 0.9, 0.4, 0.6]), 1, num_thresholds=7)
        writer.add_graph(net.eval(), torch.zeros(1, 20))
        writer.add_embedding(torch.eye(4, 3), metadata=list('abcd'), global_step=1, tag='points')
        writer.add_mesh('mesh', torch.zeros(1, 3, 3), faces=torch.tensor([[[0, 1, 2]]]), global_step=1)
        writer.add_custom_scalars({'losses': {'both': ['Multiline', ['loss/train', 'loss/new']]}})
        add_where_possible(writer, generator)
        writer.add_hparams({'lr': 0.1, 'layers': 3, 'bias': True, 'optimizer': 'ädam', 'tensor': torch.tensor([2.5])}, {'metric/accuracy': 0.5},
                           run_name='trial')
    # A run that goes on after it was interrupted, in a second file.
    with SummaryWriter('runs/again') as writer:
        for step in range(5):
            writer.add_scalar('loss', step, step)
    with SummaryWriter('runs/again', purge_step=3, filename_suffix='.second') as writer:
        for step in range(3, 8):
            writer.add_scalar('loss', 10 * step, step)
    return stated.of_runs('runs')


def add_where_possible(writer, generator):
    """Of what needs further packages."""
    try:
        from matplotlib import pyplot
        pyplot.switch_backend('agg')
    except ImportError:
        return
    figure = pyplot.figure(figsize=(0.4, 0.3), dpi=100)
    figure.add_axes((0, 0, 1, 1)).plot([1, 2])
    writer.add_figure('figure', figure, 1)
    writer.add_audio('sound', torch.zeros(1, 50), 1, sample_rate=8000)
    writer.add_tensor('tensor', torch.from_numpy(generator.normal(size=(2, 3))), 1)
