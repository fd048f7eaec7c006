"""What the slide deck prints of its networks: layer, output shape, parameters.

``keras-faces describe slides-v1`` shows these tables beside Keras's own summary, and the tests compare them. The other
sources print no tables of layers.
"""

from __future__ import annotations

# What else a network needs to be as printed, beside the image size.
LITERAL = {("slides-v2", "generator"): " --option upsamplings=4"}

# System -> image size at which the network is printed -> network -> rows.
PRINTED = {
    "slides-v1": {
        64: {
            "generator": [
                ("Dense", (1024,), 103_424),
                ("Activation", (1024,), 0),
                ("Dense", (32768,), 33_587_200),
                ("BatchNormalization", (32768,), 131_072),
                ("Activation", (32768,), 0),
                ("Reshape", (16, 16, 128), 0),
                ("UpSampling2D", (32, 32, 128), 0),
                ("Conv2D", (32, 32, 64), 204_864),
                ("Activation", (32, 32, 64), 0),
                ("UpSampling2D", (64, 64, 64), 0),
                ("Conv2D", (64, 64, 3), 4_803),
                ("Activation", (64, 64, 3), 0),
            ],
            "discriminator": [
                ("Conv2D", (64, 64, 64), 4_864),
                ("Activation", (64, 64, 64), 0),
                ("MaxPooling2D", (32, 32, 64), 0),
                ("Conv2D", (28, 28, 128), 204_928),
                ("Activation", (28, 28, 128), 0),
                ("MaxPooling2D", (14, 14, 128), 0),
                ("Flatten", (25088,), 0),
                ("Dense", (1024,), 25_691_136),
                ("Activation", (1024,), 0),
                ("Dense", (1,), 1_025),
                ("Activation", (1,), 0),
            ],
        },
    },
    "slides-v2": {
        96: {  # the code's four UpSampling2D (docs/errata.md, D1)
            "generator": [
                ("Dense", (18432,), 1_861_632),
                ("Activation", (18432,), 0),
                ("Reshape", (6, 6, 512), 0),
                ("UpSampling2D", (12, 12, 512), 0),
                ("Conv2D", (12, 12, 256), 3_277_056),
                ("BatchNormalization", (12, 12, 256), 1_024),
                ("Activation", (12, 12, 256), 0),
                ("UpSampling2D", (24, 24, 256), 0),
                ("Conv2D", (24, 24, 128), 819_328),
                ("BatchNormalization", (24, 24, 128), 512),
                ("Activation", (24, 24, 128), 0),
                ("UpSampling2D", (48, 48, 128), 0),
                ("Conv2D", (48, 48, 64), 204_864),
                ("BatchNormalization", (48, 48, 64), 256),
                ("Activation", (48, 48, 64), 0),
                ("UpSampling2D", (96, 96, 64), 0),
                ("Conv2D", (96, 96, 3), 4_803),
                ("Activation", (96, 96, 3), 0),
            ],
        },
        64: {
            "discriminator": [
                ("Conv2D", (32, 32, 64), 4_864),
                ("LeakyReLU", (32, 32, 64), 0),
                ("Dropout", (32, 32, 64), 0),
                ("Conv2D", (16, 16, 128), 204_928),
                ("ZeroPadding2D", (17, 17, 128), 0),
                ("BatchNormalization", (17, 17, 128), 512),
                ("LeakyReLU", (17, 17, 128), 0),
                ("Dropout", (17, 17, 128), 0),
                ("Conv2D", (9, 9, 256), 819_456),
                ("BatchNormalization", (9, 9, 256), 1_024),
                ("LeakyReLU", (9, 9, 256), 0),
                ("Dropout", (9, 9, 256), 0),
                ("Conv2D", (9, 9, 512), 3_277_312),
                ("BatchNormalization", (9, 9, 512), 2_048),
                ("LeakyReLU", (9, 9, 512), 0),
                ("Dropout", (9, 9, 512), 0),
                ("Flatten", (41472,), 0),
                ("Dense", (1,), 41_473),
                ("Activation", (1,), 0),
            ],
        },
    },
}
