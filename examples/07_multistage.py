# %% [markdown]
# # 7. One optimizer after another
#
# **What it teaches.** The LFW paper announces "multi-stage optimizers" and leaves the section empty. Here a schedule of
# stages, each with an optimizer, a rate and a length, trains the convolutional pair, and any other system as well.
#
# **Command.** `python examples/07_multistage.py` — or run the cells one by one.
#
# **Time.** About 3 minutes on two cores.
#
# **What one should see.** `runs/lesson-07/gradients.png`: the gradients jump where a stage begins: a new optimizer
# has no memory. `evolution.png`: RMSprop makes heads, Adam faces, the slower Adam keeps what there is.
#
# **Read beside it.** `keras_faces/training/optimizers.py`, `keras_faces/models/gans/multistage.py`.

# %% What to try: sgd or momentum in a stage, STAGES for another system
DATA = "drawn"  # or a folder: "../photographs"
IMAGE_SIZE = 64
IMAGES = 2000
EPOCHS = 14
BATCH_SIZE = 32
SEED = 0
OUT = "runs/lesson-07"
STAGES = "rmsprop:2e-4:200,adam:2e-4:500,adam:5e-5"  # OPTIMIZER:RATE:ITERATIONS, the last one to the end

# %% The faces
import keras_faces as kf

faces = kf.data.load(DATA, image_size=IMAGE_SIZE, count=IMAGES, seed=SEED)

# %% Who works when
from keras_faces.training.optimizers import StagedOptimizer, parse_stages

optimizer = StagedOptimizer(parse_stages(STAGES))
for iteration in range(0, 900, 100):
    optimizer.on_iteration(iteration)
    print(f"iteration {iteration}: {optimizer.stages[optimizer.stage].optimizer}, rate {optimizer.learning_rate.value}")

# %% Train into a run folder, as `keras-faces train` does: grids, log, curves, checkpoints
model = kf.train(
    "multistage", faces, out=OUT, epochs=EPOCHS, batch_size=BATCH_SIZE, seed=SEED, sample_every=50, stages=STAGES
)

# %% The lengths of the gradients, and where the stages begin
import pandas

from keras_faces.figures.figure import Figure

log = pandas.read_csv(f"{OUT}/log.csv")
figure = Figure(figsize=(8, 3.5), layout="constrained")
axes = figure.subplots()
axes.plot(log["step"], log["d_gradient"], label="D's gradient")
axes.plot(log["step"], log["g_gradient"], label="G's gradient")
begin = 0
for stage in optimizer.stages[:-1]:
    begin += stage.iterations
    axes.axvline(begin, color="grey", linestyle=":")
axes.set(xlabel="iteration", yscale="log", title=STAGES)
axes.legend()
kf.plots.save(figure, f"{OUT}/gradients.png")
print(f"the pictures are in {OUT}")
