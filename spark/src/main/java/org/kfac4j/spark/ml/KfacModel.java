package org.kfac4j.spark.ml;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.ml.Model;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.ml.param.IntArrayParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.util.MLWritable;
import org.apache.spark.ml.util.MLWriter;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;
import org.kfac4j.Check;
import org.kfac4j.InvalidInputException;
import org.kfac4j.curvature.BlockForward;
import org.kfac4j.curvature.Nd4jBackend;
import org.kfac4j.curvature.Parameters;
import org.kfac4j.linalg.Precision;
import org.kfac4j.network.Dl4jModel;
import org.kfac4j.network.Network;

/**
 * A trained network that adds columns to a Dataset. Immutable but for its columns' names.
 *
 * @param <M> the kind of model
 */
public abstract class KfacModel<M extends KfacModel<M>> extends Model<M> implements MLWritable {
  private static final long serialVersionUID = 1L;

  /** Rows that go through the network at a time. */
  private static final int ROWS = 512;

  private final String uid;
  private final Dl4jModel model;
  private final double[] theta;
  private final Param<String> featuresCol;
  private final IntArrayParam inputShape;
  private transient @Nullable TrainingSummary summary;
  private transient @Nullable Broadcast<Parameters> shared;
  private transient @Nullable SparkContext sharedIn;

  /** For single rows; its buffers go with the model. */
  private transient @Nullable BlockForward single;

  /** A trained network. */
  record Trained(Dl4jModel model, double[] theta) {}

  KfacModel(String uid, Trained trained) {
    this.uid = uid;
    this.model = trained.model();
    this.theta = trained.theta();
    this.featuresCol = new Param<>(this, "featuresCol", Texts.FEATURES);
    this.inputShape = new IntArrayParam(this, "inputShape", Texts.SHAPE);
    setDefault(featuresCol, "features");
    setDefault(inputShape, new int[0]);
  }

  @Override
  public String uid() {
    return uid;
  }

  public Param<String> featuresCol() {
    return featuresCol;
  }

  public String getFeaturesCol() {
    return getOrDefault(featuresCol);
  }

  public M setFeaturesCol(String column) {
    return with(featuresCol, column);
  }

  public IntArrayParam inputShape() {
    return inputShape;
  }

  public int[] getInputShape() {
    return getOrDefault(inputShape).clone();
  }

  @SuppressWarnings("unchecked")
  <T> M with(Param<T> param, T value) {
    set(param, value);
    return (M) this;
  }

  /** Numbers in a feature vector. */
  public int numFeatures() {
    return network().inputs();
  }

  /** All weights θ, as {@code initialWeights} of an Estimator takes them. */
  public Vector weights() {
    return Vectors.dense(theta.clone());
  }

  /** The network's configuration, DL4J's JSON. */
  public String configuration() {
    return model.json();
  }

  /** Whether this is fresh from training. */
  public boolean hasSummary() {
    return summary != null;
  }

  /**
   * How training went; not saved with the model.
   *
   * @throws IllegalStateException if this was loaded
   */
  public TrainingSummary summary() {
    if (summary == null) {
      throw new IllegalStateException(uid + " has no training summary: it was loaded or sent");
    }
    return summary;
  }

  final void setSummary(@Nullable TrainingSummary now) {
    summary = now;
  }

  final @Nullable TrainingSummary summaryOrNull() {
    return summary;
  }

  final Network network() {
    return model.network();
  }

  final Trained trained() {
    return new Trained(model, theta);
  }

  /** A fresh model of the same network. */
  abstract M fresh();

  /** What this adds to a schema; columns with an empty name are not added. */
  abstract List<Output> outputs();

  @Override
  public M copy(ParamMap extra) {
    M copy = copyValues(fresh(), extra);
    copy.setSummary(summary);
    copy.setParent(parent());
    return copy;
  }

  @Override
  public MLWriter write() {
    return new ModelWriter(this);
  }

  void writeNetwork(org.kfac4j.data.Storage storage, String uri) throws IOException {
    try (java.io.OutputStream out = storage.create(uri)) {
      model.write(theta, out);
    }
  }

  @Override
  public StructType transformSchema(StructType schema) {
    FeatureColumn features =
        FeatureColumn.of(schema, "featuresCol", getFeaturesCol(), getInputShape());
    Texts.checkSize(features, schema, network().inputs());
    StructType result = schema;
    for (Output output : added()) {
      result = Columns.append(result, output.parameter(), output.field());
    }
    return result;
  }

  private List<Output> added() {
    return outputs().stream().filter(output -> !output.field().name().isEmpty()).toList();
  }

  @Override
  public Dataset<Row> transform(Dataset<?> data) {
    StructType schema = data.schema();
    StructType result = transformSchema(schema);
    FeatureColumn features =
        FeatureColumn.of(schema, "featuresCol", getFeaturesCol(), getInputShape());
    Scorer scorer =
        new Scorer(
            network(),
            parameters(JavaSparkContext.fromSparkContext(data.sparkSession().sparkContext())),
            backend(data.sparkSession().sparkContext().getConf().getInt("spark.task.cpus", 1)),
            features,
            schema.fieldIndex(getFeaturesCol()),
            List.copyOf(added()),
            rows(network()));
    Dataset<Row> scored = data.toDF().mapPartitions(scorer, Encoders.row(result));
    boolean unambiguous =
        Arrays.stream(result.fieldNames())
                .map(name -> name.toLowerCase(Locale.ROOT))
                .distinct()
                .count()
            == result.length();
    if (!unambiguous) {
      return scored; // Columns of one name can only be passed on as they are.
    }
    // Metadata is what an encoder forgets.
    return scored.select(
        Arrays.stream(result.fields())
            .map(
                field ->
                    functions
                        .col(ExampleReader.quoted(field.name()))
                        .as(field.name(), field.metadata()))
            .toArray(Column[]::new));
  }

  /** Once per model and application; freed with the model. */
  private synchronized Broadcast<Parameters> parameters(JavaSparkContext spark) {
    Broadcast<Parameters> here = shared;
    // A broadcast of an application that has ended still calls itself valid.
    if (here == null || !here.isValid() || sharedIn != spark.sc()) {
      here = spark.broadcast(new Parameters(theta, Precision.FLOAT));
      shared = here;
      sharedIn = spark.sc();
    }
    return here;
  }

  /** Fewer than usual of a network whose values for them would take more than 64 MB. */
  private static int rows(Network network) {
    long values = 0;
    for (int i = 0; i <= network.layers().size(); i++) {
      values += network.value(i).size();
    }
    return (int) Math.max(1, Math.min(ROWS, (1L << 24) / values));
  }

  private static Nd4jBackend backend(int threads) {
    return new Nd4jBackend(Precision.FLOAT, ROWS, ROWS, threads);
  }

  /**
   * The outputs z of one row.
   *
   * @throws InvalidInputException if it has another size or a number that is not finite
   */
  final synchronized double[] outputOf(Vector features) {
    int width = network().inputs();
    float[] row = new float[width];
    FeatureColumn.ofVectors(getFeaturesCol()).read(features, row, 0, width);
    BlockForward forward = single;
    if (forward == null) {
      forward = backend(1).forward(network(), new Parameters(theta, Precision.FLOAT), 1);
      single = forward;
    }
    forward.run(row, 1);
    double[] z = new double[network().outputs()];
    forward.value(network().layers().size(), z);
    return z;
  }

  @Override
  public String toString() {
    return "%s: uid = %s, %d inputs, %d outputs, %d parameters"
        .formatted(
            getClass().getSimpleName(),
            uid,
            network().inputs(),
            network().outputs(),
            network().parameterCount());
  }

  /** A column that a model adds. */
  interface Output extends java.io.Serializable {
    /** The parameter that names it. */
    String parameter();

    StructField field();

    /** Which value of the network it is made of, see {@link BlockForward#value}. */
    int value();

    /**
     * The cell of a row.
     *
     * @param values of a block, [rows, size of the value]
     * @param features of the block, [rows, inputs]
     */
    Object cell(double[] values, float[] features, int row);
  }

  static double[] row(double[] values, int row, int width) {
    Check.that(values.length >= (row + 1) * width, "no row %d of width %d", row, width);
    return Arrays.copyOfRange(values, row * width, (row + 1) * width);
  }
}
