"""LeNet-5 and the LeNet of Caffe's MNIST example, both for 1x28x28."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn


def lenet5() -> nn.Sequential:
    """LeNet-5; its trainable subsampling is a plain average pooling and its Gaussian output layer a linear one."""
    return nn.Sequential(
        OrderedDict[str, nn.Module](
            conv1=nn.Conv2d(1, 6, 5, padding=2),
            tanh1=nn.Tanh(),
            pool1=nn.AvgPool2d(2),
            conv2=nn.Conv2d(6, 16, 5),
            tanh2=nn.Tanh(),
            pool2=nn.AvgPool2d(2),
            flatten=nn.Flatten(),
            fc1=nn.Linear(400, 120),
            tanh3=nn.Tanh(),
            fc2=nn.Linear(120, 84),
            tanh4=nn.Tanh(),
            fc3=nn.Linear(84, 10),
        )
    )


def lenet() -> nn.Sequential:
    """Caffe's LeNet; layer names as in its prototxt. The convolutions have no activation."""
    return nn.Sequential(
        OrderedDict[str, nn.Module](
            conv1=nn.Conv2d(1, 20, 5),
            pool1=nn.MaxPool2d(2),
            conv2=nn.Conv2d(20, 50, 5),
            pool2=nn.MaxPool2d(2),
            flatten=nn.Flatten(),
            ip1=nn.Linear(800, 500),
            relu1=nn.ReLU(inplace=True),
            ip2=nn.Linear(500, 10),
        )
    )
