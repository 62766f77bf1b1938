package org.kfac4j.spark.ml;

import java.util.Arrays;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Settings;
import org.kfac4j.network.Dl4jModel;
import org.kfac4j.network.ModelSettings;
import org.kfac4j.network.Network;
import org.kfac4j.spark.HadoopStorage;
import org.kfac4j.spark.Reading;
import org.kfac4j.training.TrainingListener;

/**
 * What the Estimators have in common: choosing and checking a network, and training it.
 *
 * @param <E> the kind of Estimator
 * @param <M> the kind of Model that it makes
 */
public abstract class KfacEstimator<E extends KfacEstimator<E, M>, M extends KfacModel<M>>
    extends KfacParams<E, M> {
  private static final long serialVersionUID = 1L;

  private transient List<TrainingListener> listeners = List.of();

  KfacEstimator(String uid) {
    super(uid);
  }

  /**
   * The network with its initial weights.
   *
   * @throws InvalidInputException if there is none, or it does not serve this
   */
  final Dl4jModel.Loaded initial(Settings resolved) {
    int[] image = getInputShape();
    InvalidInputException.require(
        image.length == 0 || (image.length == 3 && Arrays.stream(image).allMatch(each -> each > 0)),
        "inputShape must be [channels, rows, columns], got %s",
        Arrays.toString(image));
    boolean given = !getModel().isEmpty();
    InvalidInputException.require(
        given ? getLayers().length == 0 : hasModelSetting(resolved),
        "exactly one of layers and model must be set, got layers = %s and %s model",
        Arrays.toString(getLayers()),
        given ? "a" : "no");
    long from = resolved.longValue("training.seed");
    Dl4jModel.Loaded loaded =
        given
            ? ofJson(from, image)
            : ModelSettings.from(resolved).create(new HadoopStorage(hadoop()), from);
    checkNetwork(loaded.model().network());
    if (!isDefined(initialWeights())) {
      return loaded;
    }
    double[] weights = getInitialWeights().toArray();
    InvalidInputException.require(
        weights.length == loaded.theta().length,
        "initialWeights must be %d numbers for this network, got %d",
        loaded.theta().length,
        weights.length);
    return new Dl4jModel.Loaded(loaded.model(), weights, true);
  }

  /** With spark.hadoop.* of the session, if there is one. */
  private static Configuration hadoop() {
    scala.Option<SparkSession> session = SparkSession.getDefaultSession();
    return session.isDefined()
        ? session.get().sparkContext().hadoopConfiguration()
        : new Configuration();
  }

  private Dl4jModel.Loaded ofJson(long from, int[] image) {
    try {
      return Dl4jModel.initial(getModel(), uid() + ".model", from, ModelReader.shape(image));
    } catch (InvalidInputException e) {
      // What is a setting to a job is a parameter here.
      String message = String.valueOf(e.getMessage());
      throw new InvalidInputException(message.replace("model.input", "inputShape"), e);
    }
  }

  private static boolean hasModelSetting(Settings resolved) {
    return !resolved.text("model.preset").isEmpty()
        || !resolved.text("model.file").isEmpty()
        || !resolved.positiveInts("model.layers").isEmpty();
  }

  /**
   * @throws InvalidInputException if the network is of no use here
   */
  abstract void checkNetwork(Network network);

  /** What the network is to give for a row. */
  abstract Target target(StructType schema, Network network);

  /** Columns that a model adds, and their types. */
  abstract StructType appended(StructType schema, Network network);

  abstract M make(KfacModel.Trained trained, StructType schema);

  @Override
  public StructType transformSchema(StructType schema) {
    return check(schema).result;
  }

  /** Everything that can be said before data is read. */
  private record Checked(Fit fit, ExampleReader reader, StructType result) {}

  private Checked check(StructType schema) {
    Settings resolved = resolved();
    Fit fit = Fit.of(resolved, initial(resolved), uid());
    Network network = fit.network();
    FeatureColumn features =
        FeatureColumn.of(schema, "featuresCol", getFeaturesCol(), getInputShape());
    Texts.checkSize(features, schema, network.inputs());
    if (!getWeightCol().isEmpty()) {
      Columns.requireNumeric(schema, "weightCol", getWeightCol());
      InvalidInputException.require(
          !resolved.text("optimizer.preconditioner").equals("cgfac"),
          "weightCol does not go with optimizer.preconditioner = cgfac: its rows have no weights");
    }
    if (!getValidationIndicatorCol().isEmpty()) {
      Columns.require(
          schema, "validationIndicatorCol", getValidationIndicatorCol(), DataTypes.BooleanType);
    }
    ExampleReader reader =
        new ExampleReader(
            features,
            network.inputs(),
            target(schema, network),
            getWeightCol(),
            getValidationIndicatorCol(),
            false);
    return new Checked(fit, reader, appended(schema, network));
  }

  @Override
  public M fit(Dataset<?> data) {
    Checked checked = check(data.schema());
    ExampleReader reader = checked.reader;
    JavaSparkContext spark = JavaSparkContext.fromSparkContext(data.sparkSession().sparkContext());
    Dataset<Row> selected = data.select(reader.columns());
    int partitions = checked.fit.partitions(spark);
    Fit.Fitted fitted =
        checked.fit.run(
            spark,
            readings(selected, reader, partitions),
            reader.indicator().isEmpty()
                ? null
                : readings(selected, reader.forValidation(), partitions),
            reader.target() instanceof Target.Label,
            listeners);
    M made = make(new KfacModel.Trained(fitted.model(), fitted.theta()), data.schema());
    made.setSummary(fitted.summary());
    return copyValues(made.setParent(this), ParamMap.empty());
  }

  private static JavaRDD<Reading> readings(
      Dataset<Row> selected, ExampleReader reader, int partitions) {
    JavaRDD<Row> rows = selected.javaRDD();
    int now = rows.getNumPartitions();
    JavaRDD<Row> spread =
        now > partitions
            ? rows.coalesce(partitions)
            : now < partitions ? rows.repartition(partitions) : rows;
    return spread.mapPartitions(reader);
  }

  @Override
  @SuppressWarnings("unchecked")
  public E copy(ParamMap extra) {
    E copy = (E) defaultCopy(extra);
    copy.setListeners(listeners);
    return copy;
  }

  /** Those who are told what happens in {@link #fit}, on the caller's thread; not saved. */
  @SuppressWarnings("unchecked")
  public E setListeners(List<? extends TrainingListener> now) {
    listeners = List.copyOf(now);
    return (E) this;
  }

  private void readObject(java.io.ObjectInputStream in)
      throws java.io.IOException, ClassNotFoundException {
    in.defaultReadObject();
    listeners = List.of();
  }
}
