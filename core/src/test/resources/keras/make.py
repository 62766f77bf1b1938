"""Makes the Keras files and what Keras says of them: KERAS_BACKEND=numpy python make.py (Keras 3, h5py).

Keras 2's HDF5 format, which DL4J's importer reads, is written here by hand, because Keras 3 writes another one; layers, weights and outputs are Keras'.
"""

import json

import h5py
import keras
import numpy as np
from keras import layers

KEPT = {
    "Conv2D": ["filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate", "activation", "use_bias"],
    "DepthwiseConv2D": ["kernel_size", "strides", "padding", "depth_multiplier", "data_format", "dilation_rate", "activation", "use_bias"],
    "BatchNormalization": ["axis", "momentum", "epsilon", "center", "scale"],
    "MaxPooling2D": ["pool_size", "padding", "strides", "data_format"],
    "AveragePooling2D": ["pool_size", "padding", "strides", "data_format"],
    "GlobalAveragePooling2D": ["data_format"],
    "ZeroPadding2D": ["padding", "data_format"],
    "Flatten": ["data_format"],
    "Dense": ["units", "activation", "use_bias"],
    "Activation": ["activation"],
    "ReLU": [],
    "Dropout": ["rate"],
    "Add": [],
    "Concatenate": ["axis"],
}
WEIGHTS = {
    "Conv2D": ["kernel", "bias"],
    "DepthwiseConv2D": ["depthwise_kernel", "bias"],
    "Dense": ["kernel", "bias"],
    "BatchNormalization": ["gamma", "beta", "moving_mean", "moving_variance"],
}
INITIALIZER = {"class_name": "GlorotUniform", "config": {"seed": None}}


def config(layer):
    kind = type(layer).__name__
    if kind == "InputLayer":
        return {"batch_input_shape": list(layer.batch_shape), "dtype": "float32", "sparse": False, "ragged": False, "name": layer.name}
    kept = {key: layer.get_config()[key] for key in KEPT[kind]}
    if kind in ("Conv2D", "Dense"):
        kept |= {"kernel_initializer": INITIALIZER, "bias_initializer": {"class_name": "Zeros", "config": {}}}
    if kind == "DepthwiseConv2D":
        kept |= {"depthwise_initializer": INITIALIZER, "bias_initializer": {"class_name": "Zeros", "config": {}}}
    if kind == "ReLU":
        kept |= {"max_value": None, "negative_slope": 0.0, "threshold": 0.0}
    return {"name": layer.name, "trainable": True, "dtype": "float32", **kept}


def plain(value):
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value


def inbound(layer):
    if type(layer).__name__ == "InputLayer":
        return []
    parents = layer._inbound_nodes[0].parent_nodes
    return [[[parent.operation.name, 0, 0, {}] for parent in parents]]


def save(name, model, loss):
    rng = np.random.default_rng(7)
    for layer in model.layers:
        weights = [rng.normal(0, 0.4, w.shape) for w in layer.get_weights()]
        if type(layer).__name__ == "BatchNormalization":
            weights[3] = 0.5 + np.abs(weights[3])
        layer.set_weights(weights)
    sequential = isinstance(model, keras.Sequential)
    described = []
    for layer in model.layers:
        entry = {"class_name": type(layer).__name__, "config": plain(config(layer))}
        if not sequential:
            entry |= {"name": layer.name, "inbound_nodes": inbound(layer)}
        described.append(entry)
    if sequential:
        described[0]["config"]["batch_input_shape"] = [None, *model.input_shape[1:]]
        whole = {"name": name, "layers": described}
    else:
        whole = {
            "name": name,
            "layers": described,
            "input_layers": [[model.inputs[0]._keras_history.operation.name, 0, 0]],
            "output_layers": [[model.layers[-1].name, 0, 0]],
        }
    training = {
        "loss": loss,
        "metrics": None,
        "weighted_metrics": None,
        "loss_weights": None,
        "optimizer_config": {
            "class_name": "SGD",
            "config": {"name": "SGD", "learning_rate": 0.01, "decay": 0.0, "momentum": 0.0, "nesterov": False},
        },
    }
    with h5py.File(name + ".h5", "w") as file:
        file.attrs["keras_version"] = np.bytes_("2.8.0")
        file.attrs["backend"] = np.bytes_("tensorflow")
        file.attrs["model_config"] = np.bytes_(json.dumps({"class_name": "Sequential" if sequential else "Functional", "config": whole}))
        file.attrs["training_config"] = np.bytes_(json.dumps(training))
        group = file.create_group("model_weights")
        group.attrs["keras_version"] = np.bytes_("2.8.0")
        group.attrs["backend"] = np.bytes_("tensorflow")
        group.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        for layer in model.layers:
            own = group.create_group(layer.name)
            names = [f"{layer.name}/{each}:0" for each in WEIGHTS.get(type(layer).__name__, [])][: len(layer.get_weights())]
            own.attrs["weight_names"] = [each.encode() for each in names] if names else np.zeros((0,), dtype="S1")
            for each, value in zip(names, layer.get_weights()):
                own.create_dataset(each, data=value.astype(np.float32))
    x = rng.normal(0, 1, (4, *model.input_shape[1:])).astype(np.float32)
    x = np.round(x, 6)
    with open(name + ".json", "w") as out:
        json.dump({"input": [float(v) for v in x.ravel()], "output": [float(v) for v in np.asarray(model.predict(x, verbose=0)).ravel()]}, out)


def residual():
    image = keras.Input((8, 7, 3), name="image")
    a = layers.Conv2D(4, 3, padding="same", use_bias=False, name="conv_a")(image)
    a = layers.BatchNormalization(name="conv_a_norm")(a)
    a = layers.Activation("relu", name="conv_a_relu")(a)
    b = layers.Conv2D(4, 3, strides=1, padding="same", name="conv_b")(a)
    b = layers.BatchNormalization(name="conv_b_norm", epsilon=1e-3, momentum=0.9)(b)
    c = layers.Add(name="sum")([a, b])
    c = layers.ReLU(name="conv_c_relu")(c)
    d = layers.DepthwiseConv2D((3, 2), strides=2, depth_multiplier=2, padding="same", activation="tanh", name="conv_d")(c)
    e = layers.Conv2D(3, (2, 3), dilation_rate=1, strides=2, padding="same", activation="relu", name="conv_e")(c)
    f = layers.Concatenate(axis=3, name="both")([d, e])
    g = layers.GlobalAveragePooling2D(name="mean")(f)
    return keras.Model(image, layers.Dense(10, activation="softmax", name="classes")(g), name="residual")


def chain():
    return keras.Sequential(
        [
            keras.Input((8, 7, 3)),
            layers.ZeroPadding2D(((1, 0), (2, 1)), name="pad"),
            layers.Conv2D(5, (3, 2), activation="tanh", name="conv"),
            layers.MaxPooling2D(2, name="max"),
            layers.Conv2D(4, 2, dilation_rate=2, name="wide"),
            layers.AveragePooling2D((1, 2), strides=1, padding="same", name="mean"),
            layers.Flatten(name="flat"),
            layers.Dense(6, activation="relu", name="hidden"),
            layers.Dropout(0.4, name="drop"),
            layers.Dense(2, activation="sigmoid", name="out"),
        ],
        name="chain",
    )


save("residual", residual(), "categorical_crossentropy")
save("chain", chain(), "binary_crossentropy")
