package org.kfac4j.datasets;

/** What a network is to do with the examples. */
public enum DataTask {
  /** To reproduce the feature vector. */
  AUTOENCODER,
  /** To tell the class. */
  CLASSIFIER
}
