"""Model of a training run: its steps, what was measured so far, and how it goes on after an interruption."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

import torch
from evaluation import average_precision, predict
from small_maskrcnn import DETECTIONS, small_maskrcnn
from torch.utils.data import DataLoader
from training_data import Batches, TrainingData, counted

import copypaste_rs
from copypaste_rs.integrations.torch import collate

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

PEAK_RATE, WEIGHT_DECAY, LARGEST_GRADIENT = 6e-4, 0.01, 5.0
SAVE_SECONDS = 60.0

WHERE_AND_HOW = ("output", "predict", "workers", "threads", "device", "stop_after")
"""Arguments that do not decide what is learnt: a run may go on with others."""


class Run:
    """Model, optimizer, and what was measured so far; all of it is kept in one file, which is replaced whole."""

    def __init__(self, args: argparse.Namespace, data: TrainingData) -> None:
        self.args, self.data = args, data
        given = sorted(vars(args).items())
        self.settings = {name: value for name, value in given if name not in WHERE_AND_HOW}
        torch.manual_seed(args.seed)
        self.model = small_maskrcnn(data.num_classes, args.size).to(args.device)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), PEAK_RATE, weight_decay=WEIGHT_DECAY)
        self.batches = Batches(data.train, args.batch_size, args.seed)
        self.steps = args.steps or max(1, round(args.epochs * len(self.batches)))
        self.tell_steps = max(1, min(50, self.steps // 20))
        self.rates = torch.optim.lr_scheduler.OneCycleLR(self.optimizer, PEAK_RATE, total_steps=self.steps)
        self.step, self.seconds = 0, 0.0
        self.losses: list[float] = []
        self.evaluations: list[dict[str, float]] = []
        self.file = args.output / "state.pt"

    def save(self) -> None:
        """Write everything that going on needs."""
        parts = {name: getattr(self, name).state_dict() for name in ("model", "optimizer", "rates")}
        numbers = {name: getattr(self, name) for name in ("settings", "step", "seconds", "losses", "evaluations")}
        new = self.file.with_suffix(".new")
        torch.save({**parts, **numbers, "random": torch.get_rng_state()}, new)
        new.replace(self.file)

    def load(self) -> None:
        """Go on where a run with these settings was interrupted."""
        state = torch.load(self.file, map_location=self.args.device)
        there = state["settings"]
        differing = [
            f"another {name}: {value} here, {there.get(name)} there"
            for name, value in self.settings.items()
            if there.get(name) != value
        ]
        if differing:
            sys.exit(f"{self.args.output} has a run with {', '.join(differing)}; choose another --output")
        for name in ("model", "optimizer", "rates"):
            getattr(self, name).load_state_dict(state[name])
        for name in ("step", "seconds", "losses", "evaluations"):
            setattr(self, name, state[name])
        torch.set_rng_state(state["random"].cpu())

    def batches_from_here(self) -> Any:
        """Batches from the next step on, without end."""
        self.batches.start_at(self.step)
        loader = DataLoader(
            self.data.train,
            batch_sampler=self.batches,
            num_workers=self.args.workers,
            persistent_workers=self.args.workers > 0,
            collate_fn=collate("torchvision", num_classes=self.data.num_classes),
            generator=torch.Generator(),  # else a loader draws from the generator that the model draws from
        )
        while True:
            yield from loader

    def train(self, interrupted: list[int]) -> None:
        """Take steps until the end, or until a signal is noted in `interrupted`."""
        args, started, saved = self.args, time.monotonic(), time.monotonic()
        before = self.seconds
        evaluate_at = {round(self.steps * (i + 1) / args.evaluations) for i in range(args.evaluations)}
        for images, targets in self.batches_from_here() if self.step < self.steps else ():
            self.losses.append(self.take_step(images, targets))
            self.step += 1
            self.seconds = before + time.monotonic() - started
            if self.step % self.tell_steps == 0:
                self.tell()
            if self.step in evaluate_at:
                self.evaluate()
            now = time.monotonic()
            stopped = bool(interrupted) or self.step == args.stop_after
            if stopped or self.step in evaluate_at or now - saved > SAVE_SECONDS:
                self.save()
                saved = now
            if stopped or self.step == self.steps:
                return

    def take_step(self, images: list[torch.Tensor], targets: list[dict[str, Any]]) -> float:
        """Learn from one batch; the loss."""
        device = self.args.device
        self.model.train()
        images = [image.to(device) for image in images]
        moved = [
            {name: each.to(device) for name, each in target.items() if torch.is_tensor(each)} for target in targets
        ]
        with self.autocast():
            loss = sum(self.model(images, moved).values())
        if not torch.isfinite(loss):
            sys.exit(
                f"step {self.step}: the loss is {loss.item()} on images {[each.get('image_id') for each in targets]}"
            )
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), LARGEST_GRADIENT)
        self.optimizer.step()
        self.rates.step()
        return float(loss.detach())

    def autocast(self) -> torch.autocast:
        """Compute convolutions in what `--precision` says."""
        kind = torch.device(self.args.device).type
        return torch.autocast(kind, torch.bfloat16, enabled=self.args.precision == "bfloat16")

    def tell(self) -> None:
        """Print where the run is."""
        recent, speed = self.losses[-self.tell_steps :], self.step / max(self.seconds, 1e-9)
        left = (self.steps - self.step) / speed / 60
        print(f"step {self.step}/{self.steps}  loss {sum(recent) / len(recent):.3f}  "
              f"{speed * self.args.batch_size:.2f} images/s  {left:.0f} min left", flush=True)  # fmt: skip

    def evaluate(self) -> None:
        """Measure the model as it is."""
        data, args = self.data, self.args
        print(f"evaluating {counted(len(data.val), 'image')}", flush=True)
        with self.autocast():
            samples = (data.val[i] for i in range(len(data.val)))
            found = average_precision(self.model, samples, sorted(data.category_ids), args.device, DETECTIONS)
        self.evaluations.append({"step": self.step, **{name: round(value, 5) for name, value in found.items()}})
        print(f"step {self.step}/{self.steps}  " + "  ".join(f"{name} {value:.3f}" for name, value in found.items()),
              flush=True)  # fmt: skip

    def finish(self) -> None:
        """Write what came out."""
        result = {
            **self.evaluations[-1],
            "evaluations": self.evaluations,
            "images": len(self.data.labelled),
            "images_without_labels": len(self.data.others),
            "validation_images": len(self.data.val),
            **({"pseudo_labels": self.data.pseudo_labels} if self.data.pseudo_labels else {}),
            "settings": self.settings,
            "seconds": round(self.seconds),
            "losses": [round(sum(part) / len(part), 4) for part in in_parts(self.losses, self.tell_steps)],
            "steps_of_a_loss": self.tell_steps,
            "versions": {"copypaste_rs": copypaste_rs.__version__, "torch": torch.__version__},
        }
        new = self.args.output / "result.json.new"
        new.write_text(json.dumps(result, indent=1) + "\n")
        draw_curve(result, self.args.output / "curve.png")
        new.replace(self.args.output / "result.json")

    def start_line(self) -> str:
        """Sentence on what is trained, and on what."""
        data, device = self.data, self.args.device
        return (
            f"training on {counted(len(data.labelled), 'image')} with {counted(data.annotations, 'annotation')} of "
            f"{counted(len(data.category_ids), 'class', 'classes')}, on {device}, for {counted(self.steps, 'step')}"
        )

    def predict(self, path: Path) -> None:
        """Write COCO results of the images without labels."""
        args, images = self.args, self.data.others
        print(f"predicting {counted(len(images), 'image')}", flush=True)
        canvas = args.size if args.scale_reference == "fit" else None
        with self.autocast():
            found = predict(self.model, images, self.data.category_ids, canvas, args.device)
        new = path.with_suffix(".new")
        new.write_text(json.dumps(found))
        new.replace(path)
        print(f"wrote {counted(len(found), 'result')} of {counted(len(images), 'image')} to {path}", flush=True)


def in_parts(values: list[float], length: int) -> list[list[float]]:
    """The values, cut into lists of that length."""
    return [values[i : i + length] for i in range(0, len(values), length)]


def draw_curve(result: dict[str, Any], path: Path) -> None:
    """Draw loss and AP by steps."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.5), layout="constrained")
    left = figure.add_subplot()
    losses = result["losses"]
    ends = [min(result["steps_of_a_loss"] * (i + 1), result["step"]) for i in range(len(losses))]  # the last is short
    left.plot(ends, losses, color="0.6", label="loss")
    left.set(xlabel="step", ylabel="loss", ylim=(0, None))
    right = left.twinx()
    for name in ("AP", "AP50"):
        right.plot([each["step"] for each in result["evaluations"]], [each[name] for each in result["evaluations"]],
                   marker="o", label=f"mask {name}")  # fmt: skip
    most = max(each["AP50"] for each in result["evaluations"])
    right.set(ylabel="AP", ylim=(0, min(1.0, 1.1 * most) or 1.0))
    figure.legend(loc="outside upper center", ncols=3)
    figure.savefig(path, dpi=120)
