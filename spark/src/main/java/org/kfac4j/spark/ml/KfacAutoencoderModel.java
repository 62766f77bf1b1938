package org.kfac4j.spark.ml;

import java.util.List;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.util.MLReader;

/** A trained autoencoder. */
public final class KfacAutoencoderModel extends KfacModel<KfacAutoencoderModel> {
  private static final long serialVersionUID = 1L;

  private final Param<String> reconstructionCol;
  private final Param<String> encodingCol;
  private final Param<String> errorCol;
  private final Param<String> encodingLayer;

  KfacAutoencoderModel(String uid, Trained trained) {
    super(uid, trained);
    reconstructionCol = new Param<>(this, "reconstructionCol", Texts.RECONSTRUCTION);
    encodingCol = new Param<>(this, "encodingCol", Texts.ENCODING);
    errorCol = new Param<>(this, "errorCol", Texts.ERROR);
    encodingLayer = new Param<>(this, "encodingLayer", Texts.ENCODING_LAYER);
    setDefault(reconstructionCol, "reconstruction");
    setDefault(encodingCol, "encoding");
    setDefault(errorCol, "reconstructionError");
    setDefault(encodingLayer, "");
  }

  public static KfacAutoencoderModel load(String path) {
    return read().load(path);
  }

  public static MLReader<KfacAutoencoderModel> read() {
    return new ModelReader<>(KfacAutoencoderModel.class, KfacAutoencoderModel::new);
  }

  /** The reconstruction of one row. */
  public Vector predict(Vector features) {
    double[] z = outputOf(features);
    network().loss().predict(z, 1);
    return Vectors.dense(z);
  }

  @Override
  List<Output> outputs() {
    return Reconstruction.outputs(
        network(), getReconstructionCol(), getEncodingCol(), getErrorCol(), getEncodingLayer());
  }

  @Override
  KfacAutoencoderModel fresh() {
    return new KfacAutoencoderModel(uid(), trained());
  }

  public Param<String> reconstructionCol() {
    return reconstructionCol;
  }

  public String getReconstructionCol() {
    return getOrDefault(reconstructionCol);
  }

  public KfacAutoencoderModel setReconstructionCol(String value) {
    return with(reconstructionCol, value);
  }

  public Param<String> encodingCol() {
    return encodingCol;
  }

  public String getEncodingCol() {
    return getOrDefault(encodingCol);
  }

  public KfacAutoencoderModel setEncodingCol(String value) {
    return with(encodingCol, value);
  }

  public Param<String> errorCol() {
    return errorCol;
  }

  public String getErrorCol() {
    return getOrDefault(errorCol);
  }

  public KfacAutoencoderModel setErrorCol(String value) {
    return with(errorCol, value);
  }

  public Param<String> encodingLayer() {
    return encodingLayer;
  }

  public String getEncodingLayer() {
    return getOrDefault(encodingLayer);
  }

  public KfacAutoencoderModel setEncodingLayer(String value) {
    return with(encodingLayer, value);
  }
}
