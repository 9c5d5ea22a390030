"""Train a small Mask R-CNN with scale jitter, with copy-paste, or with pseudo-labels of a teacher as well.

    python train_maskrcnn.py --train train.json --val val.json --output runs/first --copy-paste paper

A run that was interrupted goes on when it is started again. Its end is result.json and curve.png in the output folder.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

import torch
from evaluation import average_precision, predict
from small_maskrcnn import DETECTIONS, small_maskrcnn
from torch.utils.data import DataLoader
from training_data import SELECT, Batches, TrainingData

import copypaste_rs
from copypaste_rs.integrations.torch import collate

PEAK_RATE, WEIGHT_DECAY, LARGEST_GRADIENT = 6e-4, 0.01, 5.0
SAVE_SECONDS, TELL_STEPS = 60.0, 50

WHERE_AND_HOW = ("output", "predict", "workers", "threads", "device", "stop_after")
"""Arguments that do not decide what is learnt: a run may go on with others."""


def arguments() -> argparse.Namespace:
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--train", required=True, metavar="PATH", help="data set to learn from, of any format that is known")
    add("--train-images", metavar="DIR", help="its images, where they are not found by themselves")
    add("--val", required=True, metavar="PATH", help="data set to evaluate on")
    add("--val-images", metavar="DIR")
    add("--output", required=True, type=Path, metavar="DIR", help="folder of the run")
    add("--copy-paste", choices=("none", *SELECT), default="paper",
        help="none: scale jitter alone; paper: a random subset of the objects of another image; one; all")  # fmt: skip
    add("--blend-sigma", type=float, metavar="X", help="soften the edges of pasted objects (default: hard)")
    add("--scale", type=float, nargs=2, default=(0.1, 2.0), metavar=("LO", "HI"), help="range of the scale jitter")
    add("--scale-reference", choices=("fit", "input"), default="fit",
        help="scale 1 fits an image into the canvas, or keeps its size; evaluation is at scale 1")  # fmt: skip
    add("--size", type=int, default=256, help="side of the canvas, in pixels (default: 256)")
    add("--fraction", type=float, default=1.0, help="share of the training images whose labels are used")
    add("--teacher", metavar="FILE", help="COCO results of a teacher, which become labels of the other images")
    add("--epochs", type=float, default=60.0, help="passes over the training images (default: 60)")
    add("--steps", type=int, metavar="N", help="steps of training, in the place of --epochs")
    add("--batch-size", type=int, default=1, help="images of a step (default: 1)")
    add("--evaluations", type=int, default=5, metavar="N", help="evaluations, evenly spaced, the last one at the end")
    add("--seed", type=int, default=0, help="seed of weights, choice of images, their order and augmentation")
    add("--precision", choices=("float32", "bfloat16"), default="float32", help="what convolutions compute in")
    add("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    add("--workers", type=int, default=0, help="processes that make items")
    add("--threads", type=int, metavar="N", help="threads of torch on the CPU")
    add("--predict", type=Path, metavar="FILE", help="at the end, write COCO results of the images without labels")
    add("--stop-after", type=int, metavar="N", help="stop at this step as if interrupted")
    args = parser.parse_args()
    if not 0 < args.fraction <= 1:
        parser.error(f"--fraction: expected a share above 0 and up to 1, got {args.fraction}")
    if args.predict and args.fraction == 1:
        parser.error("--predict: all images have labels; --fraction below 1 leaves some without")
    if args.teacher and args.fraction == 1:
        parser.error("--teacher: all images have labels; --fraction below 1 leaves some without")
    if args.predict and args.predict.exists():
        parser.error(f"--predict: {args.predict} exists")
    for name in ("size", "batch_size", "evaluations", "steps", "threads"):
        if (value := getattr(args, name)) is not None and value < 1:
            parser.error(f"--{name.replace('_', '-')}: expected at least 1, got {value}")
    return args


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
        if differing := [name for name, value in self.settings.items() if state["settings"].get(name) != value]:
            sys.exit(f"{self.args.output} has a run with another {', '.join(differing)}; choose another --output")
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
            if self.step % TELL_STEPS == 0:
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
        recent, speed = self.losses[-TELL_STEPS:], self.step / max(self.seconds, 1e-9)
        left = (self.steps - self.step) / speed / 60
        print(f"step {self.step}/{self.steps}  loss {sum(recent) / len(recent):.3f}  "
              f"{speed * self.args.batch_size:.2f} images/s  {left:.0f} min left", flush=True)  # fmt: skip

    def evaluate(self) -> None:
        """Measure the model as it is."""
        data, args = self.data, self.args
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
            "settings": self.settings,
            "seconds": round(self.seconds),
            "losses": [round(sum(part) / len(part), 4) for part in in_parts(self.losses, TELL_STEPS)],
            "versions": {"copypaste_rs": copypaste_rs.__version__, "torch": torch.__version__},
        }
        new = self.args.output / "result.json.new"
        new.write_text(json.dumps(result, indent=1) + "\n")
        draw_curve(result, self.args.output / "curve.png")
        new.replace(self.args.output / "result.json")


def in_parts(values: list[float], length: int) -> list[list[float]]:
    """The values, cut into lists of that length."""
    return [values[i : i + length] for i in range(0, len(values), length)]


def draw_curve(result: dict[str, Any], path: Path) -> None:
    """Draw loss and AP by steps."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.5), layout="constrained")
    left = figure.add_subplot()
    losses = result["losses"]
    left.plot([TELL_STEPS * (i + 1) for i in range(len(losses))], losses, color="0.6", label="loss")
    left.set(xlabel="step", ylabel="loss", ylim=(0, None))
    right = left.twinx()
    for name in ("AP", "AP50"):
        right.plot([each["step"] for each in result["evaluations"]], [each[name] for each in result["evaluations"]],
                   marker="o", label=f"mask {name}")  # fmt: skip
    right.set(ylabel="AP", ylim=(0, 1))
    figure.legend(loc="outside upper center", ncols=3)
    figure.savefig(path, dpi=120)


def main() -> int:
    """Train, evaluate, and predict where asked; the exit status."""
    args = arguments()
    if args.threads:
        torch.set_num_threads(args.threads)
    data = TrainingData(args)
    args.output.mkdir(parents=True, exist_ok=True)
    run = Run(args, data)
    if run.file.exists():
        run.load()
        print(f"goes on at step {run.step} of {run.steps}", flush=True)
    interrupted: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _: interrupted.append(received))
    run.train(interrupted)
    if run.step < run.steps:
        print(f"stopped at step {run.step} of {run.steps}; the same command goes on", flush=True)
        return 130
    run.finish()
    for number in (signal.SIGINT, signal.SIGTERM):  # all is written: from here on nothing is lost
        signal.signal(number, signal.SIG_DFL)
    if args.predict:
        canvas = args.size if args.scale_reference == "fit" else None
        with run.autocast():
            found = predict(run.model, data.others, data.category_ids, canvas, args.device)
        new = args.predict.with_suffix(".new")
        new.write_text(json.dumps(found))
        new.replace(args.predict)
        print(f"wrote {len(found)} results of {len(data.others)} images to {args.predict}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
