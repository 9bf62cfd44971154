"""What is built on PyTorch: transformers (weights whole and in shards, a training that was interrupted) and Lightning."""

import json
import os
import pathlib
import platform
import shutil

os.environ.update(HF_HUB_OFFLINE='1', CUDA_VISIBLE_DEVICES='')
# ruff: noqa: E402
import accelerate
import huggingface_hub
import lightning
import safetensors
import safetensors.torch
import torch
import transformers

import stated
import write_pytorch


def tiny_model():
    config = transformers.GPT2Config(vocab_size=11, n_positions=8, n_embd=8, n_layer=1, n_head=2)
    return transformers.GPT2LMHeadModel(config)


def of_safetensors(path):
    with safetensors.safe_open(path, 'pt') as opened:
        tensors = [(name, opened.get_tensor(name)) for name in opened.keys()]
        facts = [stated.tensor(name, write_pytorch.name_of(each.dtype), each.shape, each.numel() * each.element_size()) for name, each in tensors]
        return stated.checkpoint('safetensors', facts, opened.metadata() or {})


def of_index(path):
    index = json.loads(path.read_text())
    return stated.checkpoint('sharded', [dict(stated.tensor(name, '', (), 0), file=file) for name, file in index['weight_map'].items()],
                             {name: value for name, value in index['metadata'].items() if isinstance(value, (int, str))})


def save_weights():
    model = tiny_model()
    model.save_pretrained('whole', max_shard_size='1MB')
    model.save_pretrained('shards', max_shard_size='2KB')
    huggingface_hub.save_torch_state_dict(model.state_dict(), 'shards', max_shard_size='2KB', safe_serialization=False)
    for path in [*pathlib.Path('shards').glob('*-of-*'), *pathlib.Path('.').glob('*/*config.json')]:
        os.remove(path)
    types = {name: value for name, value in write_pytorch.of_every_type().items() if not value.is_quantized}
    types = {name: value for name, value in types.items() if name not in ('complex128', 'float4_e2m1fn_x2')}
    safetensors.torch.save_file(types, 'types.safetensors')


class Rows(torch.utils.data.Dataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        return {'input_ids': torch.arange(4) + index, 'labels': torch.arange(4) + index}


def train():
    """As long as it takes to be interrupted once."""
    arguments = transformers.TrainingArguments('trained', max_steps=2, save_steps=2, logging_steps=1, per_device_train_batch_size=1, report_to=['tensorboard'],
                                               use_cpu=True, disable_tqdm=True, seed=1)
    os.environ['TENSORBOARD_LOGGING_DIR'] = 'runs/trainer'
    arguments.logging_dir = 'runs/trainer'
    transformers.Trainer(tiny_model(), arguments, train_dataset=Rows()).train()
    shutil.move('trained/checkpoint-2', 'checkpoint-2')
    shutil.rmtree('trained')
    for path in pathlib.Path('checkpoint-2').glob('*config.json'):
        os.remove(path)


class Lit(lightning.LightningModule):
    def __init__(self, size=3, rate=0.1):
        super().__init__()
        self.save_hyperparameters()
        self.layer = torch.nn.Linear(size, 1)

    def training_step(self, batch):
        loss = self.layer(batch).square().mean()
        self.log('loss', loss)
        return loss

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), self.hparams.rate, momentum=0.9)


class Checkpoint(lightning.pytorch.callbacks.ModelCheckpoint):
    def state_dict(self):
        """Without the place on this machine."""
        return {name: os.path.relpath(value) if isinstance(value, str) and value else value for name, value in super().state_dict().items()}


def train_lightning():
    trainer = lightning.Trainer(accelerator='cpu', max_epochs=2, log_every_n_steps=1, enable_progress_bar=False, enable_model_summary=False,
                                logger=lightning.pytorch.loggers.TensorBoardLogger('runs', 'lightning', 0),
                                callbacks=[Checkpoint('lightning', '{epoch}-{step}', every_n_epochs=2)])
    trainer.fit(Lit(), torch.utils.data.DataLoader(torch.rand(4, 3), batch_size=2))


def write():
    torch.manual_seed(1)
    save_weights()
    train()
    train_lightning()
    facts = {}
    for path in sorted(pathlib.Path('.').rglob('*')):
        if path.suffix == '.safetensors':
            facts[path.as_posix()] = of_safetensors(path)
        elif path.name.endswith('.index.json'):
            facts[path.as_posix()] = of_index(path)
        elif path.suffix in ('.bin', '.pt', '.pth', '.ckpt'):
            facts[path.as_posix()] = write_pytorch.facts_of(write_pytorch.load(path))
    versions = {'python': platform.python_version(), **{each.__name__: each.__version__ for each in (torch, transformers, accelerate, lightning, safetensors)}}
    return {'versions': versions, 'checkpoints': facts, 'events': stated.of_runs('runs')}
