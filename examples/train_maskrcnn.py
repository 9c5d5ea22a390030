"""Train a small Mask R-CNN with scale jitter, with copy-paste, or with pseudo-labels of a teacher as well.

    python train_maskrcnn.py --train train.json --val val.json --output runs/first --copy-paste paper

A run that was interrupted goes on when it is started again. Its end is result.json and curve.png in the output folder.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path


def arguments() -> argparse.Namespace:
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--train", required=True, metavar="PATH", help="data set to learn from, of any format that is known")
    add("--train-images", metavar="DIR", help="its images, where they are not found by themselves")
    add("--val", required=True, metavar="PATH", help="data set to evaluate on")
    add("--val-images", metavar="DIR")
    add("--output", required=True, type=Path, metavar="DIR", help="folder of the run")
    add("--copy-paste", choices=("none", "paper", "one", "all"), default="paper",  # SELECT: its module imports torch
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
    add("--device", help="of torch (default: cuda where there is one)")
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


def main() -> int:
    """Train, evaluate, and predict where asked; the exit status."""
    args = arguments()
    try:
        return train(args)
    except KeyboardInterrupt:  # before the first step, or after the last one
        print("interrupted; the same command begins again, or goes on", file=sys.stderr)
        return 130
    except OSError as error:  # an image that went away or is damaged; of an error in a worker the last line says it
        print(f"{Path(__file__).name}: {(str(error).splitlines() or [repr(error)])[-1]}", file=sys.stderr)
        return 1


def train(args: argparse.Namespace) -> int:
    """Do what the arguments say; the exit status."""
    import torch  # slow imports stand here, where an interruption is one line
    from training_data import TrainingData
    from training_run import Run

    args.device = args.device or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        torch.zeros(1, device=args.device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:  # its words differ between builds of torch
        sys.exit(f"{Path(__file__).name}: --device {args.device}: {str(error).splitlines()[0]}")
    if args.threads:
        torch.set_num_threads(args.threads)
    try:
        data = TrainingData(args)
        args.output.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError, TypeError) as error:  # of files and arguments, each of which says what is wrong
        sys.exit(f"{Path(__file__).name}: {error}")
    run = Run(args, data)
    print(run.start_line(), flush=True)
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
    signal.signal(signal.SIGINT, signal.default_int_handler)  # all is written: from here on nothing is lost
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if args.predict:
        run.predict(args.predict)
    return 0


if __name__ == "__main__":
    sys.exit(main())
