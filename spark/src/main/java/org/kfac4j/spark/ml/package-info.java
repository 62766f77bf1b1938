/**
 * kfac4j in Spark ML: {@link org.kfac4j.spark.ml.KfacClassifier}, {@link
 * org.kfac4j.spark.ml.KfacRegressor} and {@link org.kfac4j.spark.ml.KfacAutoencoder} are Estimators
 * for pipelines, with Models that score columns. They translate parameters to settings and columns
 * to examples; the work is done elsewhere.
 */
@NullMarked
package org.kfac4j.spark.ml;

import org.jspecify.annotations.NullMarked;
